import type { Epoch, Outbox, OutboxEntry, Ranges, ReadingBatch } from "@penstock/model";
import type { Clock, Files, Log, Metrics, Random } from "@penstock/runtime";

export interface OutboxOptions {
  readonly files: Files;
  /** the outbox's own folder; made when missing */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** bytes of all segments on disk; age of an entry since it was accepted */
  readonly bounds: { readonly bytes: number; readonly ageMs: number };
  /** what happens when `bounds.bytes` is reached; entries beyond `bounds.ageMs` are dropped under either */
  readonly policy: "drop-oldest" | "refuse";
  /** a segment is closed when it is longer; default 8 MiB, never more than an eighth of `bounds.bytes` */
  readonly segmentBytes?: number;
  /** bodies of the newest entries kept in memory; default 4 MiB */
  readonly cacheBytes?: number;
  /** names of those that must have passed an entry before it leaves; default ["link"]. A new name starts where the oldest entry is */
  readonly cursors?: readonly string[];
  /** called when an append resolves, after the sync that covers it */
  readonly onAccepted?: (accepted: { epoch: Epoch; firstSeq: number; batch: ReadingBatch }) => void;
}

export interface SegmentOutbox extends Outbox {
  /** as `acknowledge`, for a cursor other than the link's */
  pass(cursor: string, ranges: Ranges): void;
  /** as `read`, of what that cursor has not passed: the link may be done with it */
  readFor(cursor: string, from: number, maxBytes: number): Promise<readonly OutboxEntry[]>;
}
