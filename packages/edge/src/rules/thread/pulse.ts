import { crc32c } from "@penstock/runtime";

/**
 * Places in what is seen of the rules' thread while it does not answer: its turns, the rule at work, and the one that was at
 * work last; 0 = none.
 */
export const pulseAt = { beat: 0, rule: 1, last: 2 } as const;
export const pulseBytes = 12;

const marks = new Map<string, number>();
/** A rule as a number of 32 bits, never 0; that two of a gateway's have the same is unlikely and harmless. */
export function markOf(uid: string): number {
  let mark = marks.get(uid);
  if (mark === undefined) {
    mark = crc32c(new TextEncoder().encode(uid)) | 1;
    marks.set(uid, mark);
  }
  return mark;
}
