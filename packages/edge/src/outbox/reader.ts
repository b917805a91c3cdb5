import { AppError, holds, type Layout, type OutboxEntry, type Ranges } from "@penstock/model";
import { type Files, type ReadFile, scanRecords } from "@penstock/runtime";
import { firstMissing } from "./cursors.ts";
import type { Recent } from "./recent.ts";
import { decodeRecord } from "./record.ts";
import { pointFor, type Segment } from "./segment.ts";

const chunkBytesMin = 64 * 1024;
const chunkBytesMax = 512 * 1024;

export interface OutboxView {
  readonly segments: readonly Segment[];
  readonly highest: number;
  readonly layouts: ReadonlyMap<number, Layout>;
}

export interface BacklogReader {
  /** @param passed  what a cursor has passed, as it stands when asked: entries in it are left out */
  read(from: number, maxBytes: number, passed: () => Ranges): Promise<readonly OutboxEntry[]>;
  close(): Promise<void>;
}

/** Entries from memory where they are recent, else from the segments in large sequential reads, each going on where the last ended. */
export function backlogReader(options: { files: Files; recent: Recent; view: () => OutboxView }): BacklogReader {
  const { files, recent, view } = options;
  let open: { ordinal: number; file: ReadFile; seq: number; offset: number } | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  async function openSegment(segment: Segment): Promise<NonNullable<typeof open>> {
    if (open !== null && open.ordinal === segment.ordinal) return open;
    const before = open;
    open = null;
    await before?.file.close();
    open = { ordinal: segment.ordinal, file: await files.openRead(segment.path), seq: segment.firstSeq, offset: 0 };
    return open;
  }

  /** @returns the seq to go on from */
  async function readSegment(segment: Segment, from: number, take: (entry: OutboxEntry) => boolean): Promise<number> {
    const place = await openSegment(segment);
    const { layouts } = view();
    const point = pointFor(segment, from);
    let offset = point?.offset ?? 0;
    if (place.seq <= from && place.offset > offset) offset = place.offset;
    // Both at once: the segment may be growing.
    const to = segment.bytes;
    const after = segment.lastSeq + 1;
    let next = from;
    let stoppedAt = -1;
    const scanned = await scanRecords({
      file: place.file,
      from: offset,
      to,
      chunkBytes: Math.min(chunkBytesMax, Math.max(chunkBytesMin, to - offset)),
      each: (payload, at) => {
        const record = decodeRecord(payload);
        if (record.kind !== "batch" || record.firstSeq + record.count <= from) return true;
        const { firstSeq, count, body } = record;
        const layout = layouts.get(record.layout);
        if (layout === undefined) throw corrupt(segment, at, `layout ${record.layout} is not in it`);
        if (!take({ firstSeq, count, layout, body })) {
          stoppedAt = at;
          return false;
        }
        next = firstSeq + count;
        return true;
      },
    });
    if (scanned.damage !== null) throw corrupt(segment, scanned.end, scanned.damage);
    place.offset = stoppedAt >= 0 ? stoppedAt : scanned.end;
    place.seq = stoppedAt >= 0 ? next : after;
    return place.seq;
  }

  async function read(from: number, maxBytes: number, passed: () => Ranges): Promise<readonly OutboxEntry[]> {
    const entries: OutboxEntry[] = [];
    let bytes = 0;
    let isFull = false;
    const take = (entry: OutboxEntry): boolean => {
      if (holds(passed(), entry.firstSeq, entry.firstSeq + entry.count - 1)) return true;
      if (entries.length > 0 && bytes + entry.body.length > maxBytes) {
        isFull = true;
        return false;
      }
      entries.push(entry);
      bytes += entry.body.length;
      return true;
    };
    let seq = from;
    while (!isFull && (bytes < maxBytes || entries.length === 0)) {
      const { segments, highest } = view();
      seq = firstMissing(passed(), seq);
      if (seq > highest) break;
      const remembered = recent.from(seq);
      if (remembered !== null) {
        for (const entry of remembered) {
          if (!take(entry)) break;
          seq = entry.firstSeq + entry.count;
        }
        continue;
      }
      const segment = segments.find((one) => one.lastSeq >= seq);
      if (segment === undefined) break;
      try {
        seq = await readSegment(segment, seq, take);
      } catch (error) {
        // It was removed while we waited to open it: what it held has been passed or dropped.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" || view().segments.includes(segment)) throw error;
      }
    }
    return entries;
  }

  return {
    // One read at a time: they share the open file and the place in it.
    read: (from, maxBytes, passed) => {
      const result = turn.then(() => read(from, maxBytes, passed));
      turn = result.catch(() => {});
      return result;
    },
    close: async () => {
      await turn;
      await open?.file.close();
      open = null;
    },
  };
}

function corrupt(segment: Segment, at: number, what: string): AppError {
  return new AppError("outbox/corrupt", `Cannot read "${segment.path}" at byte ${at}: ${what}`);
}
