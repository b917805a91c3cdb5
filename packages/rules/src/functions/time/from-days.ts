import { defineFunction } from "../define-function.ts";
import { timeWriter } from "./part-date-pattern.ts";
import { shownAt } from "./part-moment.ts";

export const fromDays = defineFunction({
  name: "from_days",
  group: "time",
  summary:
    "The date, as yyyy-MM-dd, that is so many days after 1970-01-01. In compat mode 1 is 1970-01-01, and 0 gives null",
  params: [{ name: "days", is: "integer" }],
  examples: [
    { sql: "from_days(100)", gives: "1970-04-10", mode: "compat" },
    { sql: "from_days(100)", gives: "1970-04-11", mode: "strict" },
    { sql: "from_days(0)", gives: null, mode: "compat" },
    { sql: "from_days(0)", gives: "1970-01-01", mode: "strict" },
    { sql: "from_days(-1)", gives: "1969-12-30", mode: "compat" },
    { sql: "from_days(-1)", gives: "1969-12-31", mode: "strict" },
    { sql: "from_days(x)", of: { x: null }, gives: null },
    { sql: "from_days(4000000)", gives: { error: /a time must be in the years 1 to 9999/ } },
    { sql: "from_days('1')", gives: { error: /days must be integer, and is string "1"/ } },
  ],
  run([days], { mode }) {
    if (days === 0n && mode === "compat") return null;
    const ms = ((days as bigint) - (mode === "compat" ? 1n : 0n)) * 86_400_000n;
    return timeWriter("yyyy-MM-dd", mode)(shownAt("from_days", ms, { mode, timeZone: "UTC" }));
  },
});
