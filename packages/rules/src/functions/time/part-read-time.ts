import type { Mode } from "../../parse/ast.ts";
import { asUtc, daysInMonth, type LocalTime, momentOfLocal } from "./part-calendar.ts";
import type { Zone } from "./part-zone.ts";

const clock = String.raw`(?<hour>\d{1,2})(?::(?<minute>\d{1,2})(?::(?<second>\d{1,2})(?:[.,](?<fraction>\d{1,9}))?)?)?`;
const offset = String.raw`(?:\s?(?<offset>Z|[+-]\d{2}(?::?\d{2})?)(?: [A-Z]{3,5})?)?`;
const date = String.raw`(?<year>\d{4})(?:-(?<month>\d{1,2})(?:-(?<day>\d{1,2})`;

/** @source jinzhu/now 1.1, TimeFormats: those with a year, in numbers */
const lenient = [
  new RegExp(`^${date}(?:[T ]${clock}${offset})?)?)?$`),
  new RegExp(String.raw`^(?<year>\d{4})(?<separator>[./])(?<month>\d{1,2})\k<separator>(?<day>\d{1,2})(?: ${clock})?$`),
  new RegExp(String.raw`^(?<month>\d{1,2})/(?<day>\d{1,2})/(?<year>\d{4})(?: ${clock})?$`),
  /^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})$/,
];

/** @source ISO 8601-1:2019, 5.4.2.1, extended format; a blank may stand for the T */
const exact = [
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?:[T ](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?(?<offset>Z|[+-]\d{2}(?::?\d{2})?)?)?$/,
];

/**
 * The moment that a text tells, in microseconds since 1970; without an offset on the clocks of the zone.
 *
 * @returns null for what is none
 * @throws RowError in strict mode for what clocks of the zone show twice or never
 */
export function readTime(text: string, { zone, mode }: { readonly zone: Zone; readonly mode: Mode }): number | null {
  if (text.length > 64) return null;
  for (const pattern of mode === "compat" ? lenient : exact) {
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) continue;
    const local = localOf(groups);
    if (local === null) return null;
    if (groups.offset === undefined) return momentOfLocal(local, { zone, mode });
    return (asUtc(local) - offsetOf(groups.offset)) * 1000 + (local.micro % 1000);
  }
  return null;
}

function localOf(groups: { readonly [name: string]: string | undefined }): LocalTime | null {
  const number = (name: string, byDefault: number) => Number(groups[name] ?? byDefault);
  const [year, month, day] = [number("year", 0), number("month", 1), number("day", 1)];
  const [hour, minute, second] = [number("hour", 0), number("minute", 0), number("second", 0)];
  const isDate = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
  if (!isDate || hour > 23 || minute > 59 || second > 59) return null;
  return { year, month, day, hour, minute, second, micro: Number((groups.fraction ?? "").padEnd(6, "0").slice(0, 6)) };
}

/** In milliseconds. */
function offsetOf(text: string): number {
  if (text === "Z") return 0;
  const size = (Number(text.slice(1, 3)) * 60 + Number(text.slice(3).replace(":", "") || 0)) * 60_000;
  return text.startsWith("-") ? -size : size;
}
