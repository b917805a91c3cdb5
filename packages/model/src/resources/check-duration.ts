import type { FieldError } from "../errors.ts";
import { shown } from "../shown.ts";
import { formatDuration, parseDuration } from "../time.ts";

/** A duration and its bounds, both included, in milliseconds. */
export interface DurationRule {
  readonly field: string;
  readonly least: number;
  readonly most: number;
}

/** [] when it is left out or within its bounds */
export function checkDuration(duration: string | undefined, { field, least, most }: DurationRule): FieldError[] {
  if (duration === undefined) return [];
  const ms = parseDuration(duration);
  if (ms !== null && ms >= least && ms <= most) return [];
  const rule = `must be ${formatDuration(least)}..${formatDuration(most)}`;
  return [{ field, value: shown(duration), rule }];
}
