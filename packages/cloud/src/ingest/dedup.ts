import { missingFrom, type Ranges, type Source } from "@penstock/model";

/** What a new session is told that the cloud has, so that the gateway sends only the rest. */
export function heldOf(source: Pick<Source, "ranges">): Ranges {
  return source.ranges;
}

/**
 * Which of an entry's sequence numbers are new. This is what makes at-least-once delivery into exactly-once storage: a
 * resumed session sends again what it has no acknowledgement of, and some of that was committed.
 *
 * @param known committed and under way
 */
export function freshParts(known: Ranges, firstSeq: number, count: number): Ranges {
  return missingFrom(known, firstSeq, firstSeq + count - 1);
}
