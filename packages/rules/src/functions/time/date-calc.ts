import { RowError } from "../../value/row-error.ts";
import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { asUtc, dayMs, momentOfLocal, showTime } from "./part-calendar.ts";
import { timeWriter } from "./part-date-pattern.ts";
import { readDuration } from "./part-duration.ts";
import { momentOf, movedTo, timeParam, zoneFor } from "./part-moment.ts";
import { zoneOf } from "./part-zone.ts";

export const dateCalc = defineFunction({
  name: "date_calc",
  group: "time",
  summary:
    "The moment that a duration such as 1h30m, -45s or 2d12h is after the time, a datetime; days are those of the calendar. In compat mode the local time as text, yyyy-MM-dd HH:mm:ss, and no days",
  params: [timeParam, { name: "duration", is: "text" }],
  takesNull: true,
  examples: [
    { sql: "date_calc('2019-01-01', '1h30m10s')", gives: "2019-01-01 01:30:10", mode: "compat" },
    { sql: "date_calc('2019-01-01', '-24h')", gives: "2018-12-31 00:00:00", mode: "compat" },
    { sql: "date_calc('2019-01-01', '1.5h')", gives: new Instant(1_546_306_200_000_000), mode: "strict" },
    { sql: "date_calc(t, '100ms200us300ns')", of: { t: new Instant(0) }, gives: new Instant(100_200), mode: "strict" },
    { sql: "date_calc(t, '-1d1h')", of: { t: new Instant(0) }, gives: new Instant(-90_000_000_000), mode: "strict" },
    {
      sql: "date_calc(t, '1d')",
      of: { t: new Instant(0) },
      gives: { error: /eKuiper knows no days: write 24h/ },
      mode: "compat",
    },
    { sql: "date_calc(t, '1.5d')", of: { t: new Instant(0) }, gives: { error: /days are whole/ }, mode: "strict" },
    { sql: "date_calc(t, '1h')", of: { t: null }, gives: { error: /time must be .*, and is null/ }, mode: "compat" },
    { sql: "date_calc(t, '1h')", of: { t: null }, gives: null, mode: "strict" },
    { sql: "date_calc(0, 'soon')", gives: { error: /Cannot read the duration "soon": write numbers with units/ } },
    { sql: "date_calc(0, '9999999h')", gives: { error: /it is longer than 292 years/ } },
    { sql: "date_calc(0, 5)", gives: { error: /duration must be text, and is bigint 5/ } },
  ],
  check([, duration], { mode }) {
    if (typeof duration === "string") readDuration(duration, mode);
  },
  run([time, duration], context) {
    const { mode } = context;
    if (mode === "strict" && (time === null || duration === null)) return null;
    const start = momentOf("date_calc", time!, context);
    if (duration === null) throw new RowError("Cannot call date_calc: duration must be text, and is null");
    const { days, nanos } = readDuration(duration as string, mode);
    const zone = zoneFor(start, context);
    let { micros } = start;
    if (days !== 0) {
      const shown = showTime(start, zone);
      const day = showTime(new Instant((asUtc(shown) + days * dayMs) * 1000), zoneOf("UTC"));
      micros = momentOfLocal({ ...day, micro: shown.micro }, { zone, mode, preferred: shown.offsetMs });
    }
    const moved = movedTo("date_calc", start, micros + Number(nanos / 1000n));
    return mode === "strict" ? moved : timeWriter("yyyy-MM-dd HH:mm:ss", mode)(showTime(moved, zone));
  },
});
