import { Instant } from "../../value/value.ts";
import { daysInMonth } from "./part-calendar.ts";
import { padded } from "./part-date-pattern.ts";
import { timeField } from "./part-time-field.ts";

export const lastDay = timeField({
  name: "last_day",
  summary: "The last day of the month, as yyyy-MM-dd",
  examples: [
    { sql: "last_day(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: "2026-11-30" },
    { sql: "last_day('2024-02-03')", gives: "2024-02-29" },
    { sql: "last_day('2026-12-31 23:59:59')", gives: "2026-12-31" },
    { sql: "last_day(t)", of: { t: null }, gives: { error: /last_day: time must be .*, and is null/ }, mode: "compat" },
    { sql: "last_day(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "last_day(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ year, month }) => `${padded(year, 4)}-${padded(month, 2)}-${daysInMonth(year, month)}`,
});
