import { defineFunction } from "../define-function.ts";
import { curTime } from "./cur-time.ts";
import { now } from "./now.ts";
import { fractionParam } from "./part-fraction.ts";

export const localTime = defineFunction({
  name: "local_time",
  group: "time",
  summary: "As cur_time, the time of day. In compat mode as now, with the date",
  params: [fractionParam],
  isPure: false,
  examples: [
    { sql: "local_time()", gives: "2026-11-01 12:34:56", mode: "compat" },
    { sql: "local_time()", gives: "12:34:56", mode: "strict" },
    { sql: "local_time(1)", gives: "12:34:56.7", mode: "strict" },
    { sql: "local_time(x)", of: { x: null }, gives: null },
    { sql: "local_time('3')", gives: { error: /digits must be integer, and is string "3"/ } },
  ],
  run: (args, context) => (context.mode === "compat" ? now : curTime).run(args, context),
});
