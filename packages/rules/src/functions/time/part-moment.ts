import { RowError } from "../../value/row-error.ts";
import { Instant, kindOf, shown, type Value } from "../../value/value.ts";
import type { CallContext, Param } from "../define-function.ts";
import { type ShownTime, showTime } from "./part-calendar.ts";
import { readTime } from "./part-read-time.ts";
import { ownZone, type Zone, zoneOf } from "./part-zone.ts";
import { ZonedInstant } from "./part-zoned-instant.ts";

/** A datetime, milliseconds since 1970, or a text. */
export const timeParam: Param = { name: "time", is: ["datetime", "number", "text"] };

/** Years 1 to 9999. */
const leastMs = -62_135_596_800_000;
const mostMs = 253_402_300_799_999;

/** @throws RowError for what is no moment, also null */
export function momentOf(name: string, value: Value, context: Pick<CallContext, "mode" | "timeZone">): Instant {
  if (value instanceof Instant) return within(name, value);
  if (typeof value === "bigint") return within(name, new Instant(Number(value) * 1000));
  if (typeof value === "number" && Number.isFinite(value)) {
    // eKuiper cuts what is smaller than a millisecond.
    return within(name, new Instant(context.mode === "compat" ? Math.trunc(value) * 1000 : Math.round(value * 1000)));
  }
  if (typeof value === "string") {
    const micros = readTime(value, { zone: ownZone(context.timeZone), mode: context.mode });
    if (micros !== null) return within(name, new Instant(micros));
    throw new RowError(`Cannot call ${name}: ${shown(value)} is no time; write it as 2026-11-01T12:34:56+01:00`);
  }
  const what = value === null ? "null" : `${kindOf(value)} ${shown(value)}`;
  throw new RowError(`Cannot call ${name}: time must be datetime, milliseconds or text, and is ${what}`);
}

function within(name: string, moment: Instant): Instant {
  if (moment.micros >= leastMs * 1000 && moment.micros <= mostMs * 1000) return moment;
  throw new RowError(`Cannot call ${name}: a time must be in the years 1 to 9999`);
}

export function zoneFor(moment: Instant, { timeZone }: Pick<CallContext, "timeZone">): Zone {
  return moment instanceof ZonedInstant ? zoneOf(moment.timeZone) : ownZone(timeZone);
}

/** What clocks show at that moment, there where it is to be shown. @throws RowError */
export function shownAt(name: string, value: Value, context: Pick<CallContext, "mode" | "timeZone">): ShownTime {
  const moment = momentOf(name, value, context);
  return showTime(moment, zoneFor(moment, context));
}

/** So many microseconds after it, shown in the same zone. @throws RowError */
export function movedTo(name: string, moment: Instant, micros: number): Instant {
  return within(name, moment instanceof ZonedInstant ? new ZonedInstant(micros, moment.timeZone) : new Instant(micros));
}
