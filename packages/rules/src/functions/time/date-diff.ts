import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { asUtc, dayMs, type ShownTime } from "./part-calendar.ts";
import { momentOf, shownAt, timeParam } from "./part-moment.ts";

export const dateDiff = defineFunction({
  name: "date_diff",
  group: "time",
  summary:
    "How many days of the calendar the second date is after the first, below 0 before it; the time of day does not count. In compat mode nanoseconds from the first time to the second",
  params: [timeParam, { ...timeParam, name: "other" }],
  takesNull: true,
  examples: [
    { sql: "date_diff('2019-01-01', '2019-01-02')", gives: 86_400_000_000_000n, mode: "compat" },
    { sql: "date_diff('2019-01-01', '2019-01-02')", gives: 1n, mode: "strict" },
    { sql: "date_diff('2026-03-01 00:01', '2026-02-28 23:59')", gives: -1n, mode: "strict" },
    { sql: "date_diff(1000, 999)", gives: -1_000_000n, mode: "compat" },
    { sql: "date_diff('0001-01-01', '9999-12-31')", gives: 9_223_372_036_854_775_807n, mode: "compat" },
    { sql: "date_diff('0001-01-01', '9999-12-31')", gives: 3_652_058n, mode: "strict" },
    { sql: "date_diff(t, 0)", of: { t: new Instant(86_400_000_000) }, gives: -1n, mode: "strict" },
    {
      sql: "date_diff(t, 0)",
      of: { t: null },
      gives: { error: /date_diff: time must be .*, and is null/ },
      mode: "compat",
    },
    { sql: "date_diff(0, t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "date_diff(0, true)", gives: { error: /other must be datetime or number or text, and is boolean true/ } },
  ],
  run([time, other], context) {
    if (context.mode === "compat") {
      const [from, to] = [momentOf("date_diff", time!, context), momentOf("date_diff", other!, context)];
      return asDuration(BigInt(to.micros) - BigInt(from.micros));
    }
    if (time === null || other === null) return null;
    return BigInt(dateOf(shownAt("date_diff", other!, context)) - dateOf(shownAt("date_diff", time!, context)));
  },
});

/** In nanoseconds, up to what 64 bits hold. @source Go 1.23, package time, func (Time) Sub */
function asDuration(micros: bigint): bigint {
  const nanos = micros * 1000n;
  if (BigInt.asIntN(64, nanos) === nanos) return nanos;
  return nanos < 0n ? -(2n ** 63n) : 2n ** 63n - 1n;
}

/** Days since 1970-01-01. */
function dateOf(time: ShownTime): number {
  return Math.floor(asUtc(time) / dayMs);
}
