import { Instant } from "../../value/value.ts";
import { dayNames } from "./part-names.ts";
import { timeField } from "./part-time-field.ts";

export const dayName = timeField({
  name: "day_name",
  summary: "The English name of the day of the week",
  examples: [
    { sql: "day_name(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: "Sunday" },
    { sql: "day_name('2026-11-03')", gives: "Tuesday" },
    { sql: "day_name(0)", gives: "Thursday" },
    { sql: "day_name(t)", of: { t: null }, gives: { error: /day_name: time must be .*, and is null/ }, mode: "compat" },
    { sql: "day_name(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "day_name(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ weekday }) => dayNames[weekday]!,
});
