import type { ScalarFunction } from "../define-function.ts";
import { convertTz } from "./convert-tz.ts";
import { curDate } from "./cur-date.ts";
import { curTime } from "./cur-time.ts";
import { dateCalc } from "./date-calc.ts";
import { dateDiff } from "./date-diff.ts";
import { dayName } from "./day-name.ts";
import { dayOfMonth } from "./day-of-month.ts";
import { dayOfWeek } from "./day-of-week.ts";
import { dayOfYear } from "./day-of-year.ts";
import { formatTime } from "./format-time.ts";
import { fromDays } from "./from-days.ts";
import { fromUnixTime } from "./from-unix-time.ts";
import { hour } from "./hour.ts";
import { lastDay } from "./last-day.ts";
import { localTime } from "./local-time.ts";
import { microsecond } from "./microsecond.ts";
import { minute } from "./minute.ts";
import { month } from "./month.ts";
import { monthName } from "./month-name.ts";
import { now } from "./now.ts";
import { second } from "./second.ts";
import { toSeconds } from "./to-seconds.ts";
import { tstamp } from "./tstamp.ts";

export const timeFunctions: readonly ScalarFunction[] = [
  ...[convertTz, curDate, curTime, dateCalc, dateDiff, dayName],
  ...[dayOfMonth, dayOfWeek, dayOfYear, formatTime, fromDays, fromUnixTime],
  ...[hour, lastDay, localTime, microsecond, minute, monthName],
  ...[month, now, second, toSeconds, tstamp],
];
