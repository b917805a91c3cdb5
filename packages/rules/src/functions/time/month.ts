import { Instant } from "../../value/value.ts";
import { timeField } from "./part-time-field.ts";

export const month = timeField({
  name: "month",
  summary: "The month, from 1",
  examples: [
    { sql: "month(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 11n },
    { sql: "month('2026-02-28')", gives: 2n },
    { sql: "month(0)", gives: 1n },
    { sql: "month(t)", of: { t: null }, gives: { error: /month: time must be .*, and is null/ }, mode: "compat" },
    { sql: "month(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "month(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ month }) => BigInt(month),
});
