import { Instant } from "../../value/value.ts";
import { timeField } from "./part-time-field.ts";

export const dayOfMonth = timeField({
  name: "day_of_month",
  also: ["day"],
  summary: "The day of the month",
  examples: [
    { sql: "day_of_month(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 1n },
    { sql: "day_of_month('2026-02-28')", gives: 28n },
    { sql: "day_of_month(1793536496789)", gives: 1n },
    {
      sql: "day_of_month(t)",
      of: { t: null },
      gives: { error: /day_of_month: time must be .*, and is null/ },
      mode: "compat",
    },
    { sql: "day_of_month(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "day_of_month(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ day }) => BigInt(day),
});
