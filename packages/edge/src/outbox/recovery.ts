import { AppError, type Layout, type Ranges } from "@penstock/model";
import { type Clock, type Files, scanRecords } from "@penstock/runtime";
import { besideSuffix, lastGroup } from "./last-group.ts";
import { decodeRecord, type SegmentHead } from "./record.ts";
import { newSegment, noteEntry, type Segment, segmentName, segmentOrdinal } from "./segment.ts";

export interface RecoveredSegments {
  /** in the order they were written; every byte that counts is durable */
  readonly segments: readonly Segment[];
  readonly layouts: ReadonlyMap<number, Layout>;
  readonly nextLayout: number;
  readonly nextOrdinal: number;
  readonly highestEntry: number;
  readonly promised: number;
}

interface Found {
  readonly ordinal: number;
  readonly path: string;
  readonly size: number;
  readonly head: SegmentHead;
}

async function findSegments(
  files: Files,
  folder: string,
): Promise<{ found: Found[]; headless: string[]; highest: number }> {
  const names = await files.list(folder);
  const ordinals = names
    .map(segmentOrdinal)
    .filter((ordinal) => ordinal !== null)
    .sort((a, b) => a - b);
  for (const name of names) if (name.endsWith(besideSuffix)) await files.remove(`${folder}/${name}`);
  const found: Found[] = [];
  const headless: string[] = [];
  for (const ordinal of ordinals) {
    const path = `${folder}/${segmentName(ordinal)}`;
    const file = await files.openRead(path);
    try {
      const size = await file.size();
      let head: SegmentHead | null = null;
      await scanRecords({
        file,
        to: size,
        chunkBytes: 4096,
        each: (payload) => {
          const record = decodeRecord(payload);
          if (record.kind === "head") head = record.head;
          return false;
        },
      });
      if (head === null) headless.push(path);
      else found.push({ ordinal, path, size, head });
    } finally {
      await file.close();
    }
  }
  return { found, headless, highest: ordinals[ordinals.length - 1] ?? 0 };
}

/**
 * Reads every segment from start to end. The tail of the last one may be torn: nothing in it was promised, and it is left
 * behind; its last whole group is written again (last-group.ts).
 * In an earlier one damage is allowed only where the next segment's head takes over, which is what a failed sync leaves.
 *
 * @param passed  what no cursor needs any more; a damaged segment whose missing entries lie in it is no loss
 * @throws AppError outbox/corrupt for damage in the middle, naming file, place and the readings behind it
 */
export async function recoverSegments(options: {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly isPassed: (from: number, to: number) => boolean;
}): Promise<RecoveredSegments> {
  const { files, folder, clock, isPassed } = options;
  const { found, headless, highest } = await findSegments(files, folder);
  // A file without a head was never synced: its head is synced before anything else in it is promised.
  for (const path of headless) await files.remove(path);
  const segments: Segment[] = [];
  const layouts = new Map<number, Layout>();
  let nextLayout = 1;
  let highestEntry = 0;
  let promised = 1;
  for (const [at, { ordinal, path, size, head }] of found.entries()) {
    const later = found.slice(at + 1);
    const limit = later.reduce((low, one) => Math.min(low, one.head.firstSeq), Number.POSITIVE_INFINITY);
    const segment = newSegment({ ordinal, path, firstSeq: head.firstSeq, now: clock.monotonic() });
    const file = await files.openRead(path);
    const group = lastGroup({ files, folder, clock, segment });
    let damage: string | null;
    try {
      const scanned = await scanRecords({
        file,
        to: size,
        each: (payload, offset) => {
          const record = decodeRecord(payload);
          if (record.kind === "layout") {
            layouts.set(record.layout.id, record.layout);
            nextLayout = Math.max(nextLayout, record.layout.id + 1);
          }
          if (record.kind === "batch") {
            if (record.firstSeq >= limit) return false;
            const accepted = monotonicOf(clock, record.acceptedAt);
            if (later.length === 0) group.note(record, payload, accepted);
            noteEntry(segment, { ...record, offset, accepted });
          }
          segment.bytes = offset + 8 + payload.length;
          return true;
        },
      });
      damage = scanned.damage;
    } finally {
      await file.close();
    }
    if (damage !== null && later.length > 0 && !isPassed(segment.lastSeq + 1, limit - 1)) {
      throw new AppError(
        "outbox/corrupt",
        `Cannot read "${path}" at byte ${segment.bytes}: ${damage}, readings ${segment.lastSeq + 1} to ${limit - 1} ` +
          "are behind it; restore the file, or move it away to go on without them",
      );
    }
    nextLayout = Math.max(nextLayout, head.nextLayout);
    if (segment.entries > 0) highestEntry = Math.max(highestEntry, segment.lastSeq);
    promised = Math.max(promised, head.firstSeq);
    segments.push(segment);
    segment.hasStaleTail = segment.bytes < size;
    if (later.length > 0) continue;
    const rewritten = await group.settle({ ordinal: highest + 1, nextLayout, layouts, size });
    if (rewritten !== null) segments.push(rewritten);
  }
  await files.syncFolder(folder);
  return {
    segments,
    layouts,
    nextLayout,
    nextOrdinal: Math.max(highest, segments[segments.length - 1]?.ordinal ?? 0) + 1,
    highestEntry,
    promised,
  };
}

/** Ages run on the monotonic clock, so that a wall clock that jumps from 1970 to today makes nothing old. */
function monotonicOf(clock: Clock, acceptedAt: number): number {
  const age = acceptedAt === 0 ? 0 : Math.max(0, clock.now() - acceptedAt);
  return clock.monotonic() - age;
}

/** The holes between recovered segments and before the first: nothing there can be offered any more. */
export function holesOf(segments: readonly Segment[], next: number): Ranges {
  const holes: [number, number][] = [];
  let expected = 1;
  for (const segment of segments) {
    if (segment.lastSeq < segment.firstSeq) continue;
    if (segment.firstSeq > expected) holes.push([expected, segment.firstSeq - 1]);
    expected = segment.lastSeq + 1;
  }
  if (next > expected) holes.push([expected, next - 1]);
  return holes;
}
