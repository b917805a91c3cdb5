import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";
import type { Instant } from "../../value/value.ts";
import type { Zone } from "./part-zone.ts";

export const dayMs = 86_400_000;

/** What calendar and clock of a zone show. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** of the second, 0 to 999,999 */
  readonly micro: number;
}

/** The same, and where and when that is. */
export interface ShownTime extends LocalTime {
  readonly zone: Zone;
  readonly ms: number;
  readonly offsetMs: number;
  /** 0 is Sunday */
  readonly weekday: number;
  /** 1 to 366 */
  readonly dayOfYear: number;
}

export function showTime({ micros }: Instant, zone: Zone): ShownTime {
  // Beyond the year 2255 a number does not hold each microsecond, and the nearest one may be just below the millisecond.
  const ms = Number.isSafeInteger(micros) ? Math.floor(micros / 1000) : Math.round(micros / 1000);
  const offsetMs = zone.offsetAt(ms);
  const date = new Date(ms + offsetMs);
  const within = Number.isSafeInteger(micros) ? micros - ms * 1000 : 0;
  return {
    ...{ zone, ms, offsetMs, weekday: date.getUTCDay() },
    ...{ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() },
    ...{ hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() },
    micro: date.getUTCMilliseconds() * 1000 + within,
    dayOfYear: Math.floor((date.getTime() - yearStart(date.getUTCFullYear())) / dayMs) + 1,
  };
}

/** Date.UTC takes 0 to 99 for 1900 to 1999. */
function yearStart(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1);
}

export function daysInMonth(year: number, month: number): number {
  return new Date(new Date(0).setUTCFullYear(year, month, 0)).getUTCDate();
}

/** The same numbers on a clock of UTC, in milliseconds: what is counted in days, whatever the zone does to its hours. */
export function asUtc({ year, month, day, hour, minute, second, micro }: LocalTime): number {
  const midnight = new Date(0).setUTCFullYear(year, month - 1, day);
  return midnight + hour * 3_600_000 + minute * 60_000 + second * 1000 + Math.floor(micro / 1000);
}

/**
 * The moment, in microseconds since 1970, at which clocks of the zone show this. Where they are turned forward no moment
 * may, and where they are turned back two may: then the one of `preferred`, an offset in milliseconds; else in strict mode
 * none, and in compat mode as Go has it.
 *
 * @source Go 1.23, package time, func Date: the offset at the moment that the numbers are in UTC, corrected once
 * @throws RowError in strict mode
 */
export function momentOfLocal(
  local: LocalTime,
  { zone, mode, preferred }: { readonly zone: Zone; readonly mode: Mode; readonly preferred?: number },
): number {
  const utc = asUtc(local);
  const offsets = [zone.offsetAt(utc), zone.offsetAt(utc - dayMs), zone.offsetAt(utc + dayMs)];
  const valid = [...new Set(offsets)].filter((one) => zone.offsetAt(utc - one) === one);
  if (valid.length === 1) return micros(utc - valid[0]!, local);
  if (preferred !== undefined && valid.includes(preferred)) return micros(utc - preferred, local);
  if (mode === "strict" && preferred === undefined) {
    const what = valid.length === 0 ? "no clock shows that, it is skipped" : "clocks show that twice";
    throw new RowError(
      `Cannot tell the moment of ${textOf(local)} in ${zone.name}: ${what}; add an offset such as +02:00`,
    );
  }
  return micros(utc - zone.offsetAt(utc - offsets[0]!), local);
}

function micros(ms: number, { micro }: LocalTime): number {
  return ms * 1000 + (micro % 1000);
}

function textOf(local: LocalTime): string {
  return new Date(asUtc(local)).toISOString().slice(0, 19);
}
