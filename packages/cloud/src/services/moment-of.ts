import { invalid, type Micros, parseDuration, parseMicros } from "@penstock/model";

/** "now", "-1h" or RFC 3339. @throws AppError input/invalid naming the field */
export function momentOf(text: string, { now, field }: { readonly now: Micros; readonly field: string }): Micros {
  if (text === "now") return now;
  if (text.startsWith("-")) {
    const ms = parseDuration(text.slice(1));
    if (ms !== null) return Math.max(0, Math.round(now - ms * 1000)) as Micros;
  }
  const time = parseMicros(text);
  if (time !== null) return time;
  const rule = "must be RFC 3339, now, or a duration before now such as -1h";
  throw invalid([{ field, value: `"${text}"`, rule }]);
}
