import { Instant } from "../../value/value.ts";
import { monthNames } from "./part-names.ts";
import { timeField } from "./part-time-field.ts";

export const monthName = timeField({
  name: "month_name",
  summary: "The English name of the month",
  examples: [
    { sql: "month_name(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: "November" },
    { sql: "month_name('2026-02-03')", gives: "February" },
    { sql: "month_name(0)", gives: "January" },
    {
      sql: "month_name(t)",
      of: { t: null },
      gives: { error: /month_name: time must be .*, and is null/ },
      mode: "compat",
    },
    { sql: "month_name(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "month_name(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ month }) => monthNames[month - 1]!,
});
