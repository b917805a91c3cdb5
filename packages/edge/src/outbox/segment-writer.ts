import type { Layout } from "@penstock/model";
import { type AppendFile, type Clock, type Files, frameRecord } from "@penstock/runtime";
import { encodeBatchRecord, encodeHead, encodeLayoutRecord } from "./record.ts";
import { newSegment, noteEntry, type Segment, segmentName } from "./segment.ts";

export interface PlacedBatch {
  readonly firstSeq: number;
  readonly count: number;
  readonly layout: Layout;
  readonly acceptedAt: number;
  readonly body: Uint8Array;
}

/** The segment that is appended to. After a failed write it takes itself back; after a failed sync it is given up. */
export interface SegmentWriter {
  readonly segment: Segment;
  /** on failure nothing half written stays, or `isUsable` turns false */
  write(batches: readonly PlacedBatch[]): Promise<void>;
  sync(): Promise<void>;
  /** the batches last written are durable: the segment's index shows them to readers */
  accept(batches: readonly PlacedBatch[]): void;
  readonly isUsable: boolean;
  close(): Promise<void>;
}

/** Makes the file, its head and its name durable, so that the seqs it promises survive whatever happens to older segments. */
export async function beginSegment(options: {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly ordinal: number;
  readonly firstSeq: number;
  readonly nextLayout: number;
}): Promise<SegmentWriter> {
  const { files, folder, clock, ordinal, firstSeq, nextLayout } = options;
  const path = `${folder}/${segmentName(ordinal)}`;
  const segment = newSegment({ ordinal, path, firstSeq, now: clock.monotonic() });
  let file: AppendFile = await files.openAppend(path);
  try {
    await file.append(frameRecord(encodeHead({ version: 1, firstSeq, nextLayout })));
    await file.sync();
    await files.syncFolder(folder);
  } catch (error) {
    await file.close();
    // Best effort: a segment without entries does no harm, and its ordinal is not used again.
    await files.remove(path).catch(() => {});
    throw error;
  }
  segment.bytes = file.length;
  /** layouts that durably stand in this file */
  const layouts = new Set<number>();
  let newLayouts: number[] = [];
  let offsets: number[] = [];
  let isUsable = true;

  async function takeBack(): Promise<void> {
    isUsable = false;
    segment.hasStaleTail = true;
    await file.close();
    await files.truncate(path, segment.bytes);
    file = await files.openAppend(path);
    segment.hasStaleTail = false;
    isUsable = true;
  }

  return {
    segment,
    get isUsable() {
      return isUsable;
    },
    write: async (batches) => {
      const parts: Uint8Array[] = [];
      let length = segment.bytes;
      const add = (payload: readonly Uint8Array[]) => {
        for (const part of frameRecord(payload)) {
          parts.push(part);
          length += part.length;
        }
      };
      newLayouts = [];
      offsets = [];
      for (const batch of batches) {
        if (!layouts.has(batch.layout.id) && !newLayouts.includes(batch.layout.id)) {
          newLayouts.push(batch.layout.id);
          add(encodeLayoutRecord(batch.layout));
        }
        offsets.push(length);
        add(encodeBatchRecord({ ...batch, layout: batch.layout.id, startsGroup: batch === batches[0] }));
      }
      try {
        await file.append(parts);
      } catch (error) {
        await takeBack();
        throw error;
      }
    },
    sync: async () => {
      try {
        await file.sync();
      } catch (error) {
        // The system may have thrown the pages away, and the next sync would say "done": this file gets no second one.
        isUsable = false;
        segment.hasStaleTail = true;
        throw error;
      }
    },
    accept: (batches) => {
      for (const id of newLayouts) layouts.add(id);
      const now = clock.monotonic();
      for (const [at, batch] of batches.entries()) {
        noteEntry(segment, { ...batch, offset: offsets[at]!, accepted: now });
      }
      segment.bytes = file.length;
    },
    // Everything that counts was synced; and a handle that a failed write left closed must not keep the next segment back.
    close: () => file.close().catch(() => {}),
  };
}
