/** What the outbox keeps in memory of one segment file. The index is sparse: a gateway may hold millions of entries. */
export interface Segment {
  readonly ordinal: number;
  readonly path: string;
  /** first seq of its first entry; entries follow without a hole */
  readonly firstSeq: number;
  /** firstSeq - 1 while it holds none */
  lastSeq: number;
  /** bytes of the file that count: durable and, after a failed sync, not written again elsewhere */
  bytes: number;
  entries: number;
  /** monotonic microseconds when it was begun, for rolling by age */
  readonly begun: number;
  /** monotonic microseconds when its last entry was accepted */
  newest: number;
  readonly points: IndexPoint[];
  /**
   * behind `bytes` the file may hold entries that a later segment took over. Only that segment's head says so: it must
   * not be removed before this one.
   */
  hasStaleTail: boolean;
}
/** An entry begins at `offset`. */
export interface IndexPoint {
  readonly seq: number;
  readonly offset: number;
  /** monotonic microseconds; below zero for entries from before this boot */
  readonly accepted: number;
}

const pointEveryBytes = 64 * 1024;
const pointEveryMicros = 10_000_000;

const namePattern = /^(\d{12})\.segment$/;
export const segmentName = (ordinal: number) => `${String(ordinal).padStart(12, "0")}.segment`;
/** @returns null when it is not a segment's name */
export function segmentOrdinal(name: string): number | null {
  const match = namePattern.exec(name);
  return match === null ? null : Number(match[1]);
}

export function newSegment(options: { ordinal: number; path: string; firstSeq: number; now: number }): Segment {
  const { ordinal, path, firstSeq, now } = options;
  return {
    ordinal,
    path,
    firstSeq,
    lastSeq: firstSeq - 1,
    bytes: 0,
    entries: 0,
    begun: now,
    newest: now,
    points: [],
    hasStaleTail: false,
  };
}

export function noteEntry(
  segment: Segment,
  entry: { readonly firstSeq: number; readonly count: number; readonly offset: number; readonly accepted: number },
): void {
  const { firstSeq, count, offset, accepted } = entry;
  const last = segment.points[segment.points.length - 1];
  if (last === undefined || offset - last.offset >= pointEveryBytes || accepted - last.accepted >= pointEveryMicros)
    segment.points.push({ seq: firstSeq, offset, accepted });
  segment.lastSeq = firstSeq + count - 1;
  segment.entries++;
  segment.newest = accepted;
}

/** The last point at or before `seq`; the first when `seq` lies before the segment. */
export function pointFor(segment: Segment, seq: number): IndexPoint | undefined {
  let low = 0;
  let high = segment.points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (segment.points[middle]!.seq <= seq) low = middle;
    else high = middle - 1;
  }
  return segment.points[low];
}
