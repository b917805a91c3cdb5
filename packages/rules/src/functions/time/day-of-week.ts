import { Instant } from "../../value/value.ts";
import { timeField } from "./part-time-field.ts";

export const dayOfWeek = timeField({
  name: "day_of_week",
  summary:
    "The day of the week: 1 for Sunday to 7 for Saturday, as eKuiper documents it. In compat mode 0 to 6, as eKuiper counts",
  examples: [
    { sql: "day_of_week(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 0n, mode: "compat" },
    { sql: "day_of_week(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 1n, mode: "strict" },
    { sql: "day_of_week('2026-11-07')", gives: 6n, mode: "compat" },
    { sql: "day_of_week('2026-11-07')", gives: 7n, mode: "strict" },
    {
      sql: "day_of_week(t)",
      of: { t: null },
      gives: { error: /day_of_week: time must be .*, and is null/ },
      mode: "compat",
    },
    { sql: "day_of_week(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "day_of_week(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ weekday }, mode) => BigInt(mode === "compat" ? weekday : weekday + 1),
});
