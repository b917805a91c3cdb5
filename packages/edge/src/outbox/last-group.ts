import type { Layout } from "@penstock/model";
import { type Clock, type Files, frameRecord } from "@penstock/runtime";
import { type BatchRecord, encodeHead, encodeLayoutRecord } from "./record.ts";
import { newSegment, noteEntry, type Segment, segmentName } from "./segment.ts";

/** Of a file that is written before it gets its name; one that is found is the left-over of a crash. */
export const besideSuffix = ".new";

interface Noted {
  readonly record: BatchRecord;
  readonly payload: Uint8Array;
  readonly accepted: number;
}

/**
 * The group that ends the last segment. Whether its sync succeeded is not known: a killed process leaves what the system
 * has and the disk may not, and if the sync had failed the system calls its pages clean and will call the next sync of
 * this file a success. What is shown to the cloud must be durable, so the group is written again, to a segment of its own.
 */
export interface LastGroup {
  /** called for each batch of the segment, before the segment knows it */
  note(record: BatchRecord, payload: Uint8Array, accepted: number): void;
  /** @returns the segment that holds the group from now on; null when it stays where it is */
  settle(options: {
    readonly ordinal: number;
    readonly nextLayout: number;
    readonly layouts: ReadonlyMap<number, Layout>;
    readonly size: number;
  }): Promise<Segment | null>;
}

export function lastGroup(options: {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly segment: Segment;
}): LastGroup {
  const { files, folder, clock, segment } = options;
  let group: Noted[] = [];
  let before = { ...segment, points: 0 };

  /** Complete and synced under another name first: its head takes the group's seqs away from the old segment. */
  async function rewrite(settle: Parameters<LastGroup["settle"]>[0]): Promise<Segment> {
    const path = `${folder}/${segmentName(settle.ordinal)}`;
    const firstSeq = group[0]!.record.firstSeq;
    const copy = newSegment({ ordinal: settle.ordinal, path, firstSeq, now: clock.monotonic() });
    const parts: Uint8Array[] = [];
    const add = (payload: readonly Uint8Array[]) => {
      for (const part of frameRecord(payload)) {
        parts.push(part);
        copy.bytes += part.length;
      }
    };
    add(encodeHead({ version: 1, firstSeq, nextLayout: settle.nextLayout }));
    for (const id of new Set(group.map(({ record }) => record.layout))) {
      const layout = settle.layouts.get(id);
      if (layout !== undefined) add(encodeLayoutRecord(layout));
    }
    for (const { record, payload, accepted } of group) {
      noteEntry(copy, { ...record, offset: copy.bytes, accepted });
      add([payload]);
    }
    const file = await files.openAppend(path + besideSuffix);
    try {
      await file.append(parts);
      await file.sync();
    } catch (error) {
      await file.close();
      await files.remove(path + besideSuffix);
      throw error;
    }
    await file.close();
    await files.rename(path + besideSuffix, path);
    await files.syncFolder(folder);
    return copy;
  }

  return {
    note: (record, payload, accepted) => {
      if (record.startsGroup) {
        group = [];
        before = { ...segment, points: segment.points.length };
      }
      group.push({ record, payload: payload.slice(), accepted });
    },
    settle: async (settle) => {
      try {
        if (group.length === 0) return null;
        const copy = await rewrite(settle);
        const { points, ...counts } = before;
        Object.assign(segment, counts);
        segment.points.length = points;
        segment.hasStaleTail = true;
        return copy;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        // A gateway with a full disk must be able to empty its outbox: a sync of the file as it is has to do.
        if (segment.bytes < settle.size) await files.truncate(segment.path, segment.bytes);
        segment.hasStaleTail = false;
        const file = await files.openAppend(segment.path);
        await file.sync().finally(() => file.close());
        return null;
      }
    },
  };
}
