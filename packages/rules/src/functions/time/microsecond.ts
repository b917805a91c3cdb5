import { Instant } from "../../value/value.ts";
import { timeField } from "./part-time-field.ts";

export const microsecond = timeField({
  name: "microsecond",
  summary: "The microsecond of the second, 0 to 999,999",
  examples: [
    { sql: "microsecond(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 789_000n },
    { sql: "microsecond('2026-02-28 07:08:09.000123')", gives: 123n },
    { sql: "microsecond(-1)", gives: 999_000n },
    { sql: "microsecond(x)", of: { x: 1.5 }, gives: 1000n, mode: "compat" },
    { sql: "microsecond(x)", of: { x: 1.5 }, gives: 1500n, mode: "strict" },
    {
      sql: "microsecond(t)",
      of: { t: null },
      gives: { error: /microsecond: time must be .*, and is null/ },
      mode: "compat",
    },
    { sql: "microsecond(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "microsecond(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ micro }) => BigInt(micro),
});
