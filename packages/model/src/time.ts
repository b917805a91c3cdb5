import type { Micros } from "./ids.ts";

/** RFC 3339 in UTC with microseconds: "2026-11-23T06:00:00.000001Z". @source RFC 3339, 5.6 */
export function formatMicros(time: Micros): string {
  const ms = Math.floor(time / 1000);
  const rest = time - ms * 1000;
  return `${new Date(ms).toISOString().slice(0, -1)}${String(rest).padStart(3, "0")}Z`;
}

const rfc3339 = /^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** @returns null when the text is not RFC 3339; digits beyond the microsecond are cut */
export function parseMicros(text: string): Micros | null {
  const match = rfc3339.exec(text);
  if (match === null) return null;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return null;
  const micros = Number((match[2] ?? "").padEnd(6, "0").slice(0, 6));
  return (ms * 1000 + micros) as Micros;
}

const durationPart = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y;
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "250ms", "1s", "1h30m" → milliseconds; null when it is not a duration. */
export function parseDuration(text: string): number | null {
  let at = 0;
  let total = 0;
  while (at < text.length) {
    durationPart.lastIndex = at;
    const match = durationPart.exec(text);
    if (match === null) return null;
    total += Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
    at = durationPart.lastIndex;
  }
  return text.length === 0 ? null : total;
}

export function formatDuration(ms: number): string {
  for (const [unit, size] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
