import type { Micros } from "./ids.ts";

const dayMs = 86_400_000;
/** Longer than any zone is from UTC, and than any change of a zone's offset (Samoa skipped a day in 2011). */
const reachMs = 2 * dayMs;

/**
 * Milliseconds by which a zone's clocks are ahead of UTC at a moment.
 *
 * @param timeZone an IANA name. The cloud refuses others; one that this machine does not know counts as UTC, since its list
 *   may be older than the cloud's
 */
export function zoneOffset(timeZone: string): (unixMs: number) => number {
  const format = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
    timeZone: isKnownZone(timeZone) ? timeZone : "UTC",
    hourCycle: "h23",
    ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
  });
  return (unixMs) => {
    const whole = Math.floor(unixMs / 1000) * 1000;
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(whole)) part[type] = Number(value);
    return Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!) - whole;
  };
}

function isKnownZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return true;
  } catch {
    return false;
  }
}

/**
 * The first moment at which clocks of a zone show a local time or a later one. So a time that does not exist on its day
 * gives the next moment there is, and one that exists twice its first.
 *
 * @param localMs the local time, as milliseconds since 1970 by the zone's own calendar
 * @param offsetAt of `zoneOffset`
 * @returns milliseconds since 1970 UTC
 */
export function firstMomentOf(localMs: number, offsetAt: (unixMs: number) => number): number {
  const before = offsetAt(localMs - reachMs);
  const after = offsetAt(localMs + reachMs);
  const found = [localMs - before, localMs - after].filter((at) => at + offsetAt(at) === localMs);
  if (found.length > 0) return Math.min(...found);
  // Clocks jump over it: the moment of the jump, by halving.
  let low = localMs - Math.max(before, after);
  let high = localMs - Math.min(before, after);
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (middle + offsetAt(middle) >= localMs) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * Times of day of one zone as numbered slots: slot `day × n + i` is the i-th time of that local date, where day 0 is
 * 1970-01-01. Later slots never come before earlier ones.
 */
export class DayTimes {
  readonly #atSeconds: readonly number[];
  readonly #offsetAt: (unixMs: number) => number;

  /** @param options.atSeconds seconds of the day, ascending, at least one */
  constructor(options: { readonly atSeconds: readonly number[]; readonly timeZone: string }) {
    this.#atSeconds = options.atSeconds;
    this.#offsetAt = zoneOffset(options.timeZone);
  }

  momentOf(slot: number): Micros {
    const n = this.#atSeconds.length;
    const day = Math.floor(slot / n);
    const localMs = day * dayMs + this.#atSeconds[slot - day * n]! * 1000;
    return (firstMomentOf(localMs, this.#offsetAt) * 1000) as Micros;
  }

  /** the last slot that has come at this moment */
  slotAt(wall: Micros): number {
    const wallMs = Math.floor(wall / 1000);
    const day = Math.floor((wallMs + this.#offsetAt(wallMs)) / dayMs);
    let low = (day - 2) * this.#atSeconds.length;
    let high = (day + 3) * this.#atSeconds.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.momentOf(middle) <= wall) low = middle;
      else high = middle;
    }
    return low;
  }
}
