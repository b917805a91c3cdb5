import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { showTime } from "./part-calendar.ts";
import { timeWriter } from "./part-date-pattern.ts";
import { ownZone } from "./part-zone.ts";

export const curDate = defineFunction({
  name: "cur_date",
  also: ["current_date"],
  group: "time",
  summary: "The local date as text, yyyy-MM-dd",
  params: [],
  isPure: false,
  examples: [
    { sql: "cur_date()", gives: "2026-11-01" },
    { sql: "current_date()", gives: "2026-11-01" },
    { sql: "day_of_month(cur_date())", gives: 1n },
  ],
  run: (_args, { now, timeZone }) => timeWriter("yyyy-MM-dd", "strict")(showTime(new Instant(now), ownZone(timeZone))),
});
