import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { shown } from "../shown.ts";
import { formatDuration } from "../time.ts";
import { checkDuration } from "./check-duration.ts";
import { lineSettings } from "./effective-device.ts";
import type { LineSpec } from "./line.ts";

/** What the schema cannot say of a line: how long its durations may be, and which of two is the longer. */
export function checkLine(line: LineSpec | undefined, at: string): FieldError[] {
  if (line === undefined) return [];
  const timeout = { least: limits.lineTimeoutMinMs, most: limits.lineTimeoutMaxMs };
  const backOff = { least: limits.lineBackOffMinMs, most: limits.lineBackOffMaxMs };
  const fields = [
    ...checkDuration(line.timeout, { field: `${at}.timeout`, ...timeout }),
    ...checkDuration(line.connectTimeout, { field: `${at}.connectTimeout`, ...timeout }),
    ...checkDuration(line.pause, { field: `${at}.pause`, least: 0, most: limits.linePauseMaxMs }),
    ...checkDuration(line.backOff?.first, { field: `${at}.backOff.first`, ...backOff }),
    ...checkDuration(line.backOff?.longest, { field: `${at}.backOff.longest`, ...backOff }),
  ];
  if (fields.length > 0 || line.backOff === undefined) return fields;
  const { backOffFirstMs: first, backOffLongestMs: longest } = lineSettings(line);
  if (first <= longest) return fields;
  // Named is the one that is written: the other may be a default.
  const isFirst = line.backOff.first !== undefined;
  return [
    {
      field: `${at}.backOff.${isFirst ? "first" : "longest"}`,
      value: shown(isFirst ? line.backOff.first : line.backOff.longest),
      rule: isFirst
        ? `must be at most longest, ${formatDuration(longest)}`
        : `must be at least first, ${formatDuration(first)}`,
    },
  ];
}
