import { defineFunction } from "../define-function.ts";

export const props = defineFunction({
  name: "props",
  group: "rule",
  summary: "What the gateway is told about itself under the name; null where it is told nothing",
  params: [{ name: "name", is: "text" }],
  isPure: false,
  examples: [
    { sql: "props('site')", gives: "north" },
    { sql: "props('nothing')", gives: null },
    { sql: "props(x)", of: { x: null }, gives: null },
    { sql: "props(12)", gives: { error: /name must be text, and is bigint 12/ } },
  ],
  run: ([name], { host }) => host.property?.(name as string) ?? null,
});
