import { type IngestHello, missingFrom, type Ranges, type Source } from "@penstock/model";

/**
 * true when the gateway gives out sequence numbers again that are already taken: the cloud holds more of the epoch than
 * the gateway's outbox has. That happens when its disk lost what it had synced, or was put back from a copy.
 *
 * In the first session of a boot the outbox as found at the start decides: by now it may have grown past the cloud's mark
 * again, with other readings under the same numbers. lastBoot is only set by a commit, so a session that was told to take a
 * new epoch and never heard of it is judged by the same rule when it comes back.
 */
export function needsNewEpoch(source: Pick<Source, "ranges" | "lastBoot">, hello: IngestHello): boolean {
  const mark = source.ranges.at(-1)?.[1] ?? 0;
  const known = source.lastBoot === hello.boot ? hello.highest : Math.min(hello.recovered, hello.highest);
  return mark > known;
}

/**
 * Sequence numbers that the gateway no longer has and the cloud never got. They count as settled from then on, so that the
 * next session does not report them again.
 */
export function lostBelow(source: Pick<Source, "nodeRanges">, hello: IngestHello): Ranges {
  return missingFrom(source.nodeRanges, 1, hello.lowest - 1);
}
