import { addRange, type IngestHello, missingFrom, type Ranges, type Source } from "@penstock/model";

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
 *
 * Only what this very numbering has settled counts: a gateway that begins again with an empty outbox numbers from 1 anew, and
 * what older outboxes of the node brought under the same numbers says nothing about it. Before a new epoch the cloud's
 * numbers above `recovered` are of readings that the gateway's disk has lost and numbered anew.
 */
export function lostBelow(source: Pick<Source, "ranges" | "nodeRanges" | "lastBoot">, hello: IngestHello): Ranges {
  const { settled, lowest, recovered } = hello;
  if (settled === null) return needsNewEpoch(source, hello) ? [] : missingFrom(source.nodeRanges, 1, lowest - 1);
  const own = needsNewEpoch(source, hello) ? upTo(source.ranges, recovered) : source.ranges;
  return missingFrom(
    settled.reduce((all, [from, to]) => addRange(all, from, to), own),
    1,
    lowest - 1,
  );
}

function upTo(ranges: Ranges, last: number): Ranges {
  return ranges.flatMap(([from, to]) => (from <= last ? [[from, Math.min(to, last)] as const] : []));
}
