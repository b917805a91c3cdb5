import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { timeWriter } from "./part-date-pattern.ts";
import { shownAt, timeParam } from "./part-moment.ts";

const t = new Instant(1_793_536_496_789_000);

export const formatTime = defineFunction({
  name: "format_time",
  group: "time",
  summary:
    "The time as text, in the rule's time zone or that of convert_tz, by a pattern such as yyyy-MM-dd'T'HH:mm:ss.SSSXXX. In compat mode SSS brings its own point, unknown letters stay, and layouts of Go are read too",
  params: [timeParam, { name: "pattern", is: "text" }],
  examples: [
    { sql: "format_time(t, 'yyyy-MM-dd HH:mm:ss')", of: { t }, gives: "2026-11-01 12:34:56" },
    { sql: "format_time(t, 'EEEE d MMMM yy, h:mm a')", of: { t }, gives: "Sunday 1 November 26, 12:34 PM" },
    { sql: "format_time(t, 'EEE MMM M dd s Z')", of: { t }, gives: "Sun Nov 11 01 56 +0000" },
    {
      sql: "format_time(t, p)",
      of: { t, p: "yyyy-MM-dd'T'HH:mm:ssXXX" },
      gives: "2026-11-01T12:34:56+00:00",
      mode: "compat",
    },
    {
      sql: "format_time(t, p)",
      of: { t, p: "yyyy-MM-dd'T'HH:mm:ssXXX" },
      gives: "2026-11-01T12:34:56Z",
      mode: "strict",
    },
    { sql: "format_time(t, 'ssSSS')", of: { t }, gives: "56.789", mode: "compat" },
    { sql: "format_time(t, 'ss.SSS')", of: { t }, gives: "56..789", mode: "compat" },
    { sql: "format_time(t, 'ss.SSS')", of: { t }, gives: "56.789", mode: "strict" },
    { sql: "format_time(t, 'yyyy-MM-dd T HH:mm')", of: { t }, gives: "2026-11-01 T 12:34", mode: "compat" },
    {
      sql: "format_time(t, 'yyyy T')",
      of: { t },
      gives: { error: /T means nothing here: letters .* in quotes/ },
      mode: "strict",
    },
    { sql: "format_time(t, '2006-01-02 15:04:05.999')", of: { t }, gives: "2026-11-01 12:34:56.789", mode: "compat" },
    { sql: "format_time(t, p)", of: { t, p: "15:04\\Z07:00" }, gives: "12:34Z", mode: "compat" },
    { sql: "format_time(t, 'YYYY')", of: { t }, gives: "2026", mode: "compat" },
    {
      sql: "format_time(t, 'YYYY')",
      of: { t },
      gives: { error: /yyyy is the year, YYYY that of the week/ },
      mode: "strict",
    },
    { sql: "format_time(t, 'H')", of: { t }, gives: { error: /eKuiper does not read H/ }, mode: "compat" },
    { sql: "format_time(t, 'H D')", of: { t }, gives: "12 305", mode: "strict" },
    { sql: "format_time(convert_tz(t, 'Asia/Shanghai'), 'HH:mm z')", of: { t }, gives: "20:34 CST" },
    { sql: "format_time(t, 'yyyy')", of: { t: null }, gives: null },
    { sql: "format_time(t, 1)", of: { t }, gives: { error: /pattern must be text, and is bigint 1/ } },
    { sql: "format_time(true, 'yyyy')", gives: { error: /time must be datetime or number or text, and is boolean/ } },
  ],
  compiles: 1,
  check([, pattern], { mode }) {
    if (typeof pattern === "string") timeWriter(pattern, mode);
  },
  run: ([time, pattern], context) =>
    timeWriter(pattern as string, context.mode)(shownAt("format_time", time!, context)),
});
