import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { showTime } from "./part-calendar.ts";
import { timeWriter } from "./part-date-pattern.ts";
import { fractionDigits, fractionParam, withFraction } from "./part-fraction.ts";
import { ownZone } from "./part-zone.ts";

export const now = defineFunction({
  name: "now",
  also: ["current_timestamp", "local_timestamp"],
  group: "time",
  summary:
    "The present moment, a datetime, cut to so many digits of the second's fraction where they are given. In compat mode the local time as text, yyyy-MM-dd HH:mm:ss, where digits come after two points",
  params: [fractionParam],
  isPure: false,
  examples: [
    { sql: "now()", gives: "2026-11-01 12:34:56", mode: "compat" },
    { sql: "now(3)", gives: "2026-11-01 12:34:56..789", mode: "compat" },
    { sql: "current_timestamp(7)", gives: "2026-11-01 12:34:56", mode: "compat" },
    { sql: "now()", gives: new Instant(1_793_536_496_789_000), mode: "strict" },
    { sql: "local_timestamp(1)", gives: new Instant(1_793_536_496_700_000), mode: "strict" },
    { sql: "now(7)", gives: { error: /digits must be 0 to 6, and is 7/ }, mode: "strict" },
    { sql: "now(x)", of: { x: null }, gives: null },
    { sql: "now('3')", gives: { error: /digits must be integer, and is string "3"/ } },
  ],
  run([digits], { now: micros, mode, timeZone }) {
    const count = fractionDigits("now", digits, mode);
    if (mode === "strict") {
      const unit = 10 ** (6 - (count ?? 6));
      return new Instant(Math.floor(micros / unit) * unit);
    }
    const pattern = withFraction("yyyy-MM-dd HH:mm:ss", count ?? 0);
    return timeWriter(pattern, mode)(showTime(new Instant(micros), ownZone(timeZone)));
  },
});
