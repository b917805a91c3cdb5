import { parseMicros } from "@penstock/model";
import { Instant, type Value } from "@penstock/rules";
import { valueOfJson } from "./json-value.ts";

/**
 * What PostgreSQL says, as rules know it: integers exact, numeric as a float, moments, bytes and JSON; everything else is text.
 * A timestamp without a zone is taken for UTC.
 *
 * @param oid  of the type
 * @source PostgreSQL 15, pg_type.dat; 8.5.2 (ISO output), 8.4.1 (hex output)
 */
export function postgresValue(oid: number, text: string): Value {
  switch (oid) {
    case 16:
      return text === "t";
    case 20:
    case 21:
    case 23:
    case 26:
      return BigInt(text);
    case 700:
    case 701:
    case 1700: {
      const number = Number(text);
      return Number.isFinite(number) ? number : null;
    }
    case 17:
      return new Uint8Array(Buffer.from(text.slice(2), "hex"));
    case 114:
    case 3802:
      return valueOfJson(text);
    case 1114:
    case 1184:
      return momentOf(text);
    default:
      return text;
  }
}

/** "2027-01-15 08:00:00.123456+00", "+05:30" or no zone. What is none, such as infinity, stays text. */
function momentOf(text: string): Value {
  const [, day, time, zone = ""] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d(?::\d\d)?)?$/.exec(text) ?? [];
  if (day === undefined) return text;
  const micros = parseMicros(`${day}T${time}${zone === "" ? "Z" : zone.length === 3 ? `${zone}:00` : zone}`);
  return micros === null ? text : new Instant(micros);
}
