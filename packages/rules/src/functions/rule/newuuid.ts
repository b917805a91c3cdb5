import { defineFunction } from "../define-function.ts";

export const newuuid = defineFunction({
  name: "newuuid",
  group: "rule",
  summary: "A new UUID of random numbers, another one for each row and call; eKuiper makes them of time and address",
  params: [],
  isPure: false,
  examples: [
    { sql: "length(newuuid())", gives: 36n },
    { sql: "substring(newuuid(), 14, 15)", gives: "4" },
    { sql: "regexp_matches(newuuid(), '^[0-9a-f-]+$')", gives: true },
  ],
  run: (_args, { host }) => host.uuid(),
});
