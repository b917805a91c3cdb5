import type { OutboxStats, Ranges } from "@penstock/model";
import { countMissing, firstMissing } from "./cursors.ts";
import { pointFor, type Segment } from "./segment.ts";

/** What segments hold of a cursor that has passed some of it. */
export const holdsAny = (segment: Segment) => segment.lastSeq >= segment.firstSeq;

export function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.bytes, 0);
}

export function readingsIn(segment: Segment, passed: Ranges): number {
  return holdsAny(segment) ? countMissing(passed, segment.firstSeq, segment.lastSeq) : 0;
}

/** The lowest seq that the cursor has not passed; null when it has passed all. */
export function lowestHeld(segments: readonly Segment[], passed: Ranges): number | null {
  const first = segments.find((segment) => readingsIn(segment, passed) > 0);
  return first === undefined ? null : firstMissing(passed, first.firstSeq);
}

/** In a segment that is passed in part, entries are counted as its readings' share; age is that of an index point. */
export function heldStats(
  segments: readonly Segment[],
  passed: Ranges,
  now: number,
): Pick<OutboxStats, "bytes" | "entries" | "readings" | "oldestAgeMs"> {
  let entries = 0;
  let readings = 0;
  let accepted: number | undefined;
  for (const segment of segments) {
    const held = readingsIn(segment, passed);
    if (held === 0) continue;
    readings += held;
    entries += Math.ceil((segment.entries * held) / (segment.lastSeq - segment.firstSeq + 1));
    accepted ??= pointFor(segment, firstMissing(passed, segment.firstSeq))?.accepted;
  }
  const oldestAgeMs = accepted === undefined ? 0 : Math.max(0, (now - accepted) / 1000);
  return { bytes: bytesOf(segments), entries, readings, oldestAgeMs };
}
