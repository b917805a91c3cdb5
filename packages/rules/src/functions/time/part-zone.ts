import { RowError } from "../../value/row-error.ts";
import { shown } from "../../value/value.ts";
import { BoundedCache } from "../bounded-cache.ts";

const hourMs = 3_600_000;
/** Hours of one zone whose offset is known. */
const hoursKept = 512;
const offsetText = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/** null: the platform does not know it */
const zones = new BoundedCache(64, (name) => {
  try {
    return new Zone(name);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
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

/** A time zone, as the platform knows it. */
export class Zone {
  readonly name: string;
  readonly #isUtc: boolean;
  readonly #format: Intl.DateTimeFormat;
  readonly #hours = new Map<number, number>();

  /** @throws RangeError */
  constructor(name: string) {
    this.name = name;
    this.#isUtc = ["UTC", "Etc/UTC", "Etc/GMT", "GMT"].includes(name);
    this.#format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  }

  /**
   * What a clock there shows more than one in UTC, in milliseconds, at a moment in milliseconds since 1970. Asking the
   * platform takes microseconds, so an hour without a change is asked for at its ends once.
   */
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

  /** Such as CEST; the offset where the platform knows none. */
  abbreviationAt(ms: number): string {
    if (this.#isUtc) return "UTC";
    const fixed = fixedAbbreviations[this.name];
    if (fixed !== undefined) return fixed;
    for (const language of ["en-US", "en-GB", "en-IN", "en-AU"]) {
      const parts = new Intl.DateTimeFormat(language, { timeZone: this.name, timeZoneName: "short" }).formatToParts(ms);
      const found = parts.find(({ type }) => type === "timeZoneName")!.value;
      if (/^[A-Z]{3,5}$/.test(found)) return found;
    }
    const offset = this.offsetAt(ms);
    return offsetTextOf(offset, offset % hourMs === 0 ? "+hh" : "+hhmm");
  }
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
