import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { timeWriter } from "./part-date-pattern.ts";
import { momentOf, shownAt } from "./part-moment.ts";

export const fromUnixTime = defineFunction({
  name: "from_unix_time",
  group: "time",
  summary:
    "The moment that is so many seconds after 1970 UTC, a datetime. In compat mode the local time as text, yyyy-MM-dd HH:mm:ss, and null for 0",
  params: [{ name: "seconds", is: "integer" }],
  examples: [
    { sql: "from_unix_time(1793536496)", gives: "2026-11-01 12:34:56", mode: "compat" },
    { sql: "from_unix_time(1793536496)", gives: new Instant(1_793_536_496_000_000), mode: "strict" },
    { sql: "from_unix_time(0)", gives: null, mode: "compat" },
    { sql: "from_unix_time(0)", gives: new Instant(0), mode: "strict" },
    { sql: "from_unix_time(x)", of: { x: null }, gives: null },
    { sql: "from_unix_time(9999999999999)", gives: { error: /a time must be in the years 1 to 9999/ } },
    { sql: "from_unix_time(x)", of: { x: 1.5 }, gives: { error: /seconds must be integer, and is float 1.5/ } },
    { sql: "from_unix_time('1')", gives: { error: /seconds must be integer, and is string "1"/ } },
  ],
  run([seconds], context) {
    if (seconds === 0n && context.mode === "compat") return null;
    const ms = (seconds as bigint) * 1000n;
    if (context.mode === "strict") return momentOf("from_unix_time", ms, context);
    return timeWriter("yyyy-MM-dd HH:mm:ss", context.mode)(shownAt("from_unix_time", ms, context));
  },
});
