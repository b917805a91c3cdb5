import { defineFunction } from "../define-function.ts";

export const tstamp = defineFunction({
  name: "tstamp",
  group: "time",
  summary: "The present moment in milliseconds since 1970 UTC",
  params: [],
  isPure: false,
  examples: [
    { sql: "tstamp()", gives: 1_793_536_496_789n },
    { sql: "tstamp() - 789", gives: 1_793_536_496_000n },
    { sql: "to_seconds(tstamp())", gives: 1_793_536_496n },
  ],
  run: (_args, { now }) => BigInt(Math.floor(now / 1000)),
});
