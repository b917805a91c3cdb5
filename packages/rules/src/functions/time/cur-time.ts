import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { showTime } from "./part-calendar.ts";
import { timeWriter } from "./part-date-pattern.ts";
import { fractionDigits, fractionParam, withFraction } from "./part-fraction.ts";
import { ownZone } from "./part-zone.ts";

export const curTime = defineFunction({
  name: "cur_time",
  also: ["current_time"],
  group: "time",
  summary: "The local time of day as text, HH:mm:ss, with so many digits of the second's fraction",
  params: [fractionParam],
  isPure: false,
  examples: [
    { sql: "cur_time()", gives: "12:34:56" },
    { sql: "current_time(2)", gives: "12:34:56..78", mode: "compat" },
    { sql: "current_time(2)", gives: "12:34:56.78", mode: "strict" },
    { sql: "cur_time(x)", of: { x: null }, gives: null },
    { sql: "cur_time('3')", gives: { error: /digits must be integer, and is string "3"/ } },
  ],
  run([digits], { now, mode, timeZone }) {
    const pattern = withFraction("HH:mm:ss", fractionDigits("cur_time", digits, mode) ?? 0);
    return timeWriter(pattern, mode)(showTime(new Instant(now), ownZone(timeZone)));
  },
});
