import { Instant } from "../../value/value.ts";
import { timeField } from "./part-time-field.ts";

export const second = timeField({
  name: "second",
  summary: "The second of the minute",
  examples: [
    { sql: "second(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 56n },
    { sql: "second('2026-02-28 07:08:09.9')", gives: 9n },
    { sql: "second(-1)", gives: 59n },
    { sql: "second(t)", of: { t: null }, gives: { error: /second: time must be .*, and is null/ }, mode: "compat" },
    { sql: "second(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "second(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ second }) => BigInt(second),
});
