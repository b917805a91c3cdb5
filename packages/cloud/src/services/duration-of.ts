import { formatDuration, invalid, parseDuration } from "@penstock/model";

/** A duration of a request in milliseconds. @throws AppError input/invalid naming the field, beyond `least`..`most` */
export function durationOf(
  text: string | undefined,
  field: string,
  range: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  if (text === undefined) return range.otherwise;
  const ms = parseDuration(text);
  if (ms !== null && ms >= range.least && ms <= range.most) return ms;
  const rule = `must be ${formatDuration(range.least)}..${formatDuration(range.most)}`;
  throw invalid([{ field, value: `"${text}"`, rule }]);
}
