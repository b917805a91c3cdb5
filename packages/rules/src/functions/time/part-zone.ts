import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { shown } from "../../value/value.ts";
import { BoundedCache } from "../bounded-cache.ts";

const hourMs = 3_600_000;
/** Hours of one zone whose offset is known. */
const hoursKept = 512;
/** Of one question, whether its hour is known or not. */
const zoneUnits = 100;
const offsetText = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/**
 * By name in small letters, since the platform takes any spelling. It knows some 600 names and none of them goes again: what
 * it holds for each is outside of the heap and comes back late, so that a rule that asks for ever other ones would take more
 * memory than all of them together.
 */
const clocks = new Map<string, Clock>();
/** null: the platform does not know it */
const zones = new BoundedCache(256, (name): Zone | null => {
  const clock = clockOf(name);
  return clock === null ? null : new Zone(name, clock);
});

/** @throws RowError for what is no IANA name */
export function zoneOf(name: string): Zone {
  const zone = zones.get(name);
  if (zone !== null) return zone;
  throw new RowError(`Cannot find the time zone ${shown(name)}: write an IANA name such as Asia/Shanghai`);
}

/** The gateway's own: one that this machine does not know counts as UTC, since its list may be older than the cloud's. */
export function ownZone(name: string): Zone {
  return zones.get(name) ?? zoneOf("UTC");
}

function clockOf(name: string): Clock | null {
  // An offset such as +08:00 is no name.
  if (!/^[A-Za-z]/.test(name)) return null;
  const key = name.toLowerCase();
  const known = clocks.get(key);
  if (known !== undefined) return known;
  try {
    const made = new Clock(name);
    clocks.set(key, made);
    return made;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** A time zone under the name that it was asked for. */
export class Zone {
  readonly name: string;
  readonly #clock: Clock;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  /** What a clock there shows more than one in UTC, in milliseconds, at a moment in milliseconds since 1970. */
  offsetAt(ms: number): number {
    effort.spend(zoneUnits);
    return this.#clock.offsetAt(ms);
  }

  /** Such as CEST; the offset where the platform knows none. */
  abbreviationAt(ms: number): string {
    return fixedAbbreviations[this.name] ?? this.#clock.abbreviationAt(ms);
  }
}

/** What the platform knows of a zone. */
class Clock {
  readonly #name: string;
  readonly #isUtc: boolean;
  readonly #format: Intl.DateTimeFormat;
  readonly #hours = new Map<number, number>();
  #short: Intl.DateTimeFormat | null = null;

  /** @throws RangeError */
  constructor(name: string) {
    this.#name = name;
    this.#format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
    this.#isUtc = this.#format.resolvedOptions().timeZone === "UTC";
  }

  /** Asking the platform takes microseconds, so an hour without a change is asked for at its ends once. */
  offsetAt(ms: number): number {
    if (this.#isUtc) return 0;
    const hour = Math.floor(ms / hourMs);
    const known = this.#hours.get(hour);
    if (known !== undefined) return known;
    const offset = this.#ask(ms);
    if (this.#ask(hour * hourMs) !== offset || this.#ask((hour + 1) * hourMs - 1) !== offset) return offset;
    if (this.#hours.size >= hoursKept) this.#hours.clear();
    this.#hours.set(hour, offset);
    return offset;
  }

  #ask(ms: number): number {
    const [, sign, hours, minutes, seconds = "0"] = offsetText.exec(this.#format.format(ms))!;
    if (sign === undefined) return 0;
    const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === "-" ? -size : size;
  }

  abbreviationAt(ms: number): string {
    if (this.#isUtc) return "UTC";
    this.#short ??= this.#inLetters(ms);
    const found = shortName(this.#short, ms);
    const offset = this.offsetAt(ms);
    return found ?? offsetTextOf(offset, offset % hourMs === 0 ? "+hh" : "+hhmm");
  }

  /** CEST is English to the British alone, EDT to Americans. */
  #inLetters(ms: number): Intl.DateTimeFormat {
    const options = { timeZone: this.#name, timeZoneName: "short" } as const;
    for (const language of ["en-US", "en-GB", "en-IN"]) {
      const format = new Intl.DateTimeFormat(language, options);
      if (shortName(format, ms) !== null) return format;
    }
    return this.#format;
  }
}

function shortName(format: Intl.DateTimeFormat, ms: number): string | null {
  const { value } = format.formatToParts(ms).find(({ type }) => type === "timeZoneName")!;
  return /^[A-Z]{3,5}$/.test(value) ? value : null;
}

/** The platform has these under "GMT+8" and its like. @source IANA tz database 2025b */
const fixedAbbreviations: Readonly<Record<string, string>> = {
  ...{
    "Asia/Shanghai": "CST",
    "Asia/Taipei": "CST",
    "Asia/Hong_Kong": "HKT",
    "Asia/Tokyo": "JST",
    "Asia/Seoul": "KST",
  },
};

export function offsetTextOf(offsetMs: number, shape: "+hh" | "+hhmm" | "+hh:mm"): string {
  const minutes = Math.floor(Math.abs(offsetMs) / 60_000);
  const [hh, mm] = [Math.floor(minutes / 60), minutes % 60].map((one) => String(one).padStart(2, "0")) as [
    string,
    string,
  ];
  const sign = offsetMs < 0 ? "-" : "+";
  return sign + { "+hh": hh, "+hhmm": hh + mm, "+hh:mm": `${hh}:${mm}` }[shape];
}
