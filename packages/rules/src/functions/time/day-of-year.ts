import { Instant } from "../../value/value.ts";
import { timeField } from "./part-time-field.ts";

export const dayOfYear = timeField({
  name: "day_of_year",
  summary: "The day of the year, from 1",
  examples: [
    { sql: "day_of_year(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 305n },
    { sql: "day_of_year('2024-12-31')", gives: 366n },
    { sql: "day_of_year('2026-01-01')", gives: 1n },
    {
      sql: "day_of_year(t)",
      of: { t: null },
      gives: { error: /day_of_year: time must be .*, and is null/ },
      mode: "compat",
    },
    { sql: "day_of_year(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "day_of_year(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ dayOfYear }) => BigInt(dayOfYear),
});
