import { defineFunction } from "../define-function.ts";

export const rand = defineFunction({
  name: "rand",
  group: "math",
  summary: "A random float from 0 up to 1, 1 not included; another one for each row and call",
  params: [],
  isPure: false,
  examples: [
    { sql: "rand() >= 0", gives: true },
    { sql: "rand() < 1", gives: true },
    { sql: "floor(rand() * 6) < 6", gives: true },
  ],
  run: (_args, { host }) => host.random(),
});
