import { defineFunction } from "../define-function.ts";
import { momentOf, timeParam } from "./part-moment.ts";
import { ownZone, zoneOf } from "./part-zone.ts";
import { ZonedInstant } from "./part-zoned-instant.ts";

export const convertTz = defineFunction({
  name: "convert_tz",
  group: "time",
  summary: "The same moment, to be shown in another time zone: by format_time, hour and their like, and as JSON",
  params: [timeParam, { name: "zone", is: "text" }],
  examples: [
    { sql: "to_json(convert_tz(1649830952233, 'Asia/Shanghai'))", gives: '"2022-04-13T14:22:32.233+08:00"' },
    { sql: "to_json(convert_tz('2022-04-13T06:22:32Z', 'UTC'))", gives: '"2022-04-13T06:22:32Z"' },
    { sql: "hour(convert_tz(0, 'America/New_York'))", gives: 19n },
    { sql: "to_seconds(convert_tz(1000, 'Asia/Tokyo'))", gives: 1n },
    { sql: "hour(convert_tz(0, ''))", gives: 0n, mode: "compat" },
    { sql: "convert_tz(0, '')", gives: { error: /Cannot find the time zone ""/ }, mode: "strict" },
    { sql: "convert_tz(t, 'UTC')", of: { t: null }, gives: null },
    { sql: "convert_tz(0, 'Mars/Base')", gives: { error: /Cannot find the time zone "Mars\/Base"/ } },
    { sql: "convert_tz(0, 'valueOf')", gives: { error: /Cannot find the time zone "valueOf"/ } },
    { sql: "convert_tz(true, 'UTC')", gives: { error: /time must be datetime or number or text, and is boolean/ } },
  ],
  check([, name], { mode }) {
    const isOfGo = mode === "compat" && (name === "" || name === "Local");
    if (typeof name === "string" && !isOfGo) zoneOf(name);
  },
  run([time, name], context) {
    const { micros } = momentOf("convert_tz", time!, context);
    // To Go, no name is UTC, and Local the machine's own zone.
    const isCompat = context.mode === "compat";
    if (isCompat && name === "Local") return new ZonedInstant(micros, ownZone(context.timeZone).name);
    return new ZonedInstant(micros, zoneOf(isCompat && name === "" ? "UTC" : (name as string)).name);
  },
});
