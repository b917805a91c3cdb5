import { limits } from "@penstock/model";
import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";
import { BoundedCache } from "../bounded-cache.ts";
import type { ShownTime } from "./part-calendar.ts";
import { compileGoLayout, goLayoutOf } from "./part-go-layout.ts";
import { dayNames, monthNames } from "./part-names.ts";
import { offsetTextOf } from "./part-zone.ts";

export type WriteTime = (time: ShownTime) => string;

const strictPatterns = new BoundedCache(128, compileJava);
const compatPatterns = new BoundedCache(128, (pattern) => compileGoLayout(goLayoutOf(pattern)));

/**
 * A pattern such as `yyyy-MM-dd'T'HH:mm:ss.SSS`. Strict: as java.time has it. Compat: as eKuiper has it.
 *
 * @throws RowError for what is no pattern
 */
export function timeWriter(pattern: string, mode: Mode): WriteTime {
  if (pattern.length > limits.timePatternChars) {
    throw new RowError(`Cannot read a time pattern of more than ${limits.timePatternChars} characters`);
  }
  return (mode === "compat" ? compatPatterns : strictPatterns).get(pattern);
}

export function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

const twice = (read: (time: ShownTime) => number): readonly WriteTime[] => [
  ...[(time: ShownTime) => String(read(time)), (time: ShownTime) => padded(read(time), 2)],
];
const colonless = (time: ShownTime) => offsetTextOf(time.offsetMs, "+hhmm");
const offsets: readonly WriteTime[] = [
  (time) => offsetTextOf(time.offsetMs, time.offsetMs % 3_600_000 === 0 ? "+hh" : "+hhmm"),
  ...[colonless, (time: ShownTime) => offsetTextOf(time.offsetMs, "+hh:mm")],
];
const orZ =
  (write: WriteTime): WriteTime =>
  (time) =>
    time.offsetMs === 0 ? "Z" : write(time);
const era: WriteTime = () => "AD";
const abbreviation: WriteTime = ({ zone, ms }) => zone.abbreviationAt(ms);
const shortDay: WriteTime = ({ weekday }) => dayNames[weekday]!.slice(0, 3);
const months = twice(({ month }) => month);
const monthTexts: readonly WriteTime[] = [
  ...months,
  ({ month }) => monthNames[month - 1]!.slice(0, 3),
  ({ month }) => monthNames[month - 1]!,
];

/** By letter, then by how often it stands there. @source java.time.format.DateTimeFormatter, Java SE 21 */
const letters: Readonly<Record<string, readonly (WriteTime | null)[]>> = {
  y: [({ year }) => String(year), ({ year }) => padded(year % 100, 2), null, ({ year }) => padded(year, 4)],
  u: [({ year }) => String(year), ({ year }) => padded(year % 100, 2), null, ({ year }) => padded(year, 4)],
  ...{ M: monthTexts, L: monthTexts },
  d: twice(({ day }) => day),
  D: [...twice(({ dayOfYear }) => dayOfYear), ({ dayOfYear }) => padded(dayOfYear, 3)],
  E: [shortDay, shortDay, shortDay, ({ weekday }) => dayNames[weekday]!],
  a: [({ hour }) => (hour < 12 ? "AM" : "PM")],
  H: twice(({ hour }) => hour),
  h: twice(({ hour }) => hour % 12 || 12),
  m: twice(({ minute }) => minute),
  s: twice(({ second }) => second),
  S: Array.from(
    { length: 9 },
    (_one, at): WriteTime =>
      ({ micro }) =>
        `${padded(micro, 6)}000`.slice(0, at + 1),
  ),
  Z: [colonless, colonless, colonless],
  x: offsets,
  X: offsets.map(orZ),
  z: [abbreviation, abbreviation, abbreviation],
  V: [null, ({ zone }) => zone.name],
  G: [era, era, era],
};

const hints: Readonly<Record<string, string>> = {
  Y: "yyyy is the year, YYYY that of the week",
  T: "letters that are meant as they are stand in quotes: 'T'",
};

function compileJava(pattern: string): WriteTime {
  const pieces = pattern.match(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'/g) ?? [];
  const writers = pieces.map((piece): WriteTime => {
    const letter = piece[0]!;
    if (letter === "'") {
      if (piece.length === 1) throw wrong(pattern, "a quote is not closed");
      const text = piece === "''" ? "'" : piece.slice(1, -1).replaceAll("''", "'");
      return () => text;
    }
    if (!/[A-Za-z]/.test(letter)) {
      if (/[[\]{}#]/.test(piece)) throw wrong(pattern, "[ ] { } # mean nothing yet: write them in quotes");
      return () => piece;
    }
    const writer = letters[letter]?.[piece.length - 1];
    if (writer !== null && writer !== undefined) return writer;
    throw wrong(pattern, `${piece} means nothing here${hints[letter] === undefined ? "" : `: ${hints[letter]}`}`);
  });
  return (time) => writers.map((write) => write(time)).join("");
}

function wrong(pattern: string, why: string): RowError {
  return new RowError(`Cannot read the time pattern ${JSON.stringify(pattern)}: ${why}`);
}
