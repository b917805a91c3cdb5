import type { Mode, TimeUnit } from "../../parse/ast.ts";

export const unitMicros: Readonly<Record<TimeUnit, number>> = {
  ...{ dd: 86_400_000_000, hh: 3_600_000_000, mi: 60_000_000, ss: 1_000_000, ms: 1000 },
};
/** the unit that one is counted within: seconds in their minute */
const parentMicros: Readonly<Record<TimeUnit, number>> = {
  ...{ dd: 86_400_000_000, hh: 86_400_000_000, mi: 3_600_000_000, ss: 60_000_000, ms: 1_000_000 },
};

/** How much local time is ahead of UTC at a moment, both in microseconds. */
export type OffsetAt = (micros: number) => number;

export interface Aligned {
  readonly unit: TimeUnit;
  /** so many units long */
  readonly count: number;
  readonly mode: Mode;
  readonly offsetAt: OffsetAt;
}

/**
 * The end of the window that a moment lies in, on the clock that hangs in the plant. In strict mode ends are multiples of
 * the length since 1970-01-01, local time, and a moment at an end is in the next window. In compat mode the first end is
 * counted within the parent unit, as eKuiper does it: of 120 seconds it is two minutes after the minute began.
 *
 * @source eKuiper 2.x, internal/topo/node/window_op.go, getAlignedWindowEndTime
 */
export function firstEnd(at: number, { unit, count, mode, offsetAt }: Aligned): number {
  const local = at + offsetAt(at);
  const length = count * unitMicros[unit];
  const end = mode === "strict" ? (Math.floor(local / length) + 1) * length : compatEnd(local, unit, count);
  return toUtc(end, offsetAt);
}

function compatEnd(local: number, unit: TimeUnit, count: number): number {
  const parent = Math.floor(local / parentMicros[unit]) * parentMicros[unit];
  if (unit === "dd") return parent + count * unitMicros.dd;
  const part = Math.floor((local - parent) / unitMicros[unit]);
  const units = part > count ? count * (Math.floor(part / count) + 1) : count;
  return parent + units * unitMicros[unit];
}

/** Local time as UTC; where the clock was set back, the first of the two. */
export function toUtc(local: number, offsetAt: OffsetAt): number {
  const guess = local - offsetAt(local);
  return local - offsetAt(guess);
}

/** The next end after one. Days are as long as the plant's are: 23, 24 or 25 hours. */
export function nextEnd(end: number, { unit, count, offsetAt }: Aligned): number {
  if (unit !== "dd") return end + count * unitMicros[unit];
  return toUtc(end + offsetAt(end) + count * unitMicros.dd, offsetAt);
}
