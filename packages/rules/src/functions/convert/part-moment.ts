import { firstMomentOf, zoneOffset } from "@penstock/model";
import { Instant, type Value } from "../../value/value.ts";

const shape =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;
const zonesKept = 100;
const zones = new Map<string, (unixMs: number) => number>();

/**
 * A moment of its milliseconds since 1970 UTC, or of a text such as "2026-11-01T12:34:56.789Z": a date, or a date and a
 * time, which is local where no offset stands behind it.
 *
 * @param timeZone IANA name
 * @returns null for what is none, or is too far from 1970 for whole microseconds
 */
export function momentOf(value: Value, timeZone: string): Instant | null {
  if (value instanceof Instant) return value;
  if (typeof value === "string") return instant(microsOf(value, timeZone));
  if (typeof value !== "number" && typeof value !== "bigint") return null;
  return instant(Math.trunc(Number(value)) * 1000);
}

function instant(micros: number): Instant | null {
  return Number.isSafeInteger(micros) ? new Instant(micros + 0) : null;
}

function microsOf(text: string, timeZone: string): number {
  const found = shape.exec(text);
  if (found === null) return Number.NaN;
  const [year, month, day, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const local = Date.UTC(year!, month! - 1, day!, hour, minute, second);
  const back = new Date(local);
  const isReal =
    back.getUTCMonth() === month! - 1 && back.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!isReal) return Number.NaN;
  const micros = Number((found[7] ?? "").padEnd(6, "0").slice(0, 6));
  const offset = found[8];
  const utc = offset === undefined ? firstMomentOf(local, offsetIn(timeZone)) : local - offsetMs(offset);
  return utc * 1000 + micros;
}

function offsetMs(offset: string): number {
  if (offset === "Z") return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3).replace(":", ""));
  return (offset.startsWith("-") ? -minutes : minutes) * 60_000;
}

function offsetIn(timeZone: string): (unixMs: number) => number {
  const kept = zones.get(timeZone);
  if (kept !== undefined) return kept;
  const made = zoneOffset(timeZone);
  if (zones.size >= zonesKept) zones.clear();
  zones.set(timeZone, made);
  return made;
}
