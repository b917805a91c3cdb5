import { RowError } from "../../value/row-error.ts";
import type { ShownTime } from "./part-calendar.ts";
import type { WriteTime } from "./part-date-pattern.ts";
import { dayNames, monthNames } from "./part-names.ts";
import { offsetTextOf } from "./part-zone.ts";

/** By letter, then by how often it stands there: what of Go's reference time stands for it. */
const layouts: Readonly<Record<string, { readonly most: number; readonly by: Readonly<Record<number, string>> }>> = {
  y: { most: 5, by: { 2: "06", 4: "2006" } },
  Y: { most: 5, by: { 2: "06", 4: "2006" } },
  M: { most: 5, by: { 1: "1", 2: "01", 3: "Jan", 4: "January", 5: "" } },
  d: { most: 3, by: { 1: "2", 2: "02", 3: "" } },
  E: { most: 5, by: { 3: "Mon", 4: "Monday" } },
  H: { most: 3, by: { 2: "15" } },
  h: { most: 3, by: { 1: "3", 2: "03", 3: "" } },
  m: { most: 3, by: { 1: "4", 2: "04", 3: "" } },
  s: { most: 3, by: { 1: "5", 2: "05", 3: "" } },
  X: { most: 4, by: { 1: "-07", 2: "-0700", 3: "-07:00", 4: "" } },
  ...{ G: { most: 1, by: { 1: "AD" } }, a: { most: 1, by: { 1: "PM" } } },
  ...{ z: { most: 1, by: { 1: "MST" } }, Z: { most: 1, by: { 1: "-0700" } } },
};

/**
 * The layout of Go that eKuiper makes of a pattern. A run of S brings its own point, so `ss.SSS` prints two; letters that
 * mean nothing stay, and so do those in quotes, but what is then part of a layout of Go means what it means there.
 *
 * @source eKuiper 2.x, pkg/cast/time.go, convertFormat
 * @throws RowError
 */
export function goLayoutOf(pattern: string): string {
  const chars = [...pattern];
  let layout = "";
  for (let at = 0; at < chars.length; ) {
    const char = chars[at]!;
    if (char === "\\") {
      if (at + 1 >= chars.length) throw wrong(pattern, "it ends with a backslash");
      layout += chars[at + 1];
      at += 2;
    } else if (char === "'") {
      const close = chars.indexOf("'", at + 1);
      const end = close < 0 ? chars.length : close;
      layout += end === at + 1 && close >= 0 ? "'" : chars.slice(at + 1, end).join("");
      at = end + 1;
    } else {
      const known = layouts[char];
      const most = char === "S" ? chars.length : (known?.most ?? 1);
      let length = 1;
      while (length < most && chars[at + length] === char) length++;
      at += length;
      const made = char === "S" ? `.${"0".repeat(length)}` : known === undefined ? char : known.by[length];
      if (made === undefined) throw wrong(pattern, `eKuiper does not read ${char.repeat(length)}`);
      layout += made;
    }
  }
  return layout;
}

function wrong(pattern: string, why: string): RowError {
  return new RowError(`Cannot read the time pattern ${JSON.stringify(pattern)}: ${why}`);
}

const chunk =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|[345]|PM|pm|[-Z]07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?!\d)/g;

const two = (value: number) => String(value).padStart(2, "0");

const chunks: Readonly<Record<string, WriteTime>> = {
  January: ({ month }) => monthNames[month - 1]!,
  Jan: ({ month }) => monthNames[month - 1]!.slice(0, 3),
  "1": ({ month }) => String(month),
  "01": ({ month }) => two(month),
  Monday: ({ weekday }) => dayNames[weekday]!,
  Mon: ({ weekday }) => dayNames[weekday]!.slice(0, 3),
  "2": ({ day }) => String(day),
  _2: ({ day }) => String(day).padStart(2),
  "02": ({ day }) => two(day),
  __2: ({ dayOfYear }) => String(dayOfYear).padStart(3),
  "002": ({ dayOfYear }) => String(dayOfYear).padStart(3, "0"),
  "15": ({ hour }) => two(hour),
  "3": ({ hour }) => String(hour % 12 || 12),
  "03": ({ hour }) => two(hour % 12 || 12),
  "4": ({ minute }) => String(minute),
  "04": ({ minute }) => two(minute),
  "5": ({ second }) => String(second),
  "05": ({ second }) => two(second),
  "2006": ({ year }) => String(year).padStart(4, "0"),
  "06": ({ year }) => two(year % 100),
  PM: ({ hour }) => (hour < 12 ? "AM" : "PM"),
  pm: ({ hour }) => (hour < 12 ? "am" : "pm"),
  MST: ({ zone, ms }) => zone.abbreviationAt(ms),
};

/** @source Go 1.23, package time, "Layout" */
export function compileGoLayout(layout: string): WriteTime {
  const writers: WriteTime[] = [];
  let at = 0;
  for (const { 0: found, index } of layout.matchAll(chunk)) {
    const before = layout.slice(at, index);
    if (before !== "") writers.push(() => before);
    writers.push(chunks[found] ?? (/^[.,]/.test(found) ? fraction(found) : offset(found)));
    at = index + found.length;
  }
  const rest = layout.slice(at);
  return (time) => writers.map((write) => write(time)).join("") + rest;
}

/** `.000` so many digits, `.999` without the zeros at the end, and nothing where none is left. */
function fraction(found: string): WriteTime {
  const point = found[0]!;
  return ({ micro }) => {
    const digits = String(micro)
      .padStart(6, "0")
      .padEnd(found.length - 1, "0")
      .slice(0, found.length - 1);
    if (found[1] === "0") return point + digits;
    const left = digits.replace(/0+$/, "");
    return left === "" ? "" : point + left;
  };
}

function offset(found: string): WriteTime {
  const shape = found.includes(":") ? "+hh:mm" : found.length > 3 ? "+hhmm" : "+hh";
  const seconds = found.endsWith(":00:00") ? ":" : found.endsWith("0000") ? "" : null;
  return ({ offsetMs }: ShownTime) => {
    if (found.startsWith("Z") && offsetMs === 0) return "Z";
    const text = offsetTextOf(offsetMs, shape);
    return seconds === null ? text : `${text}${seconds}${two(Math.floor(Math.abs(offsetMs) / 1000) % 60)}`;
  };
}
