import type { OutboxEntry } from "@penstock/model";
import { type Cancel, type Clock, type Files, type Log, type Metrics, makeDurableFolder } from "@penstock/runtime";
import { decodeBatchBody } from "@penstock/wire";
import type { Reported } from "./reported.ts";
import { type OutboxPosition, readCheckpoint, writeCheckpoint } from "./reported-checkpoint.ts";

/**
 * A checkpoint is 60 to 80 bytes a property, all of it written anew. With 1,000 properties once a second that is 6 GB a
 * day, many times what the outbox writes for their readings, and the life of a gateway's flash; every 10 s it is 0.6 GB.
 * A longer time costs nothing that was accepted, only a longer replay, and the values of those that do not go to the cloud.
 */
const everyMsDefault = 10_000;
const everyMsLeast = 1000;
const replayBytes = 1024 * 1024;

/** What the twin needs of the outbox: what was accepted, in order, kept until a checkpoint has it. */
export interface AcceptedReadings {
  /** all up to here is on disk, and was on the bus before that */
  position(): OutboxPosition;
  /** entries that the twin has not passed, in order, the first holding a seq ≥ from; [] at the end */
  read(from: number, maxBytes: number): Promise<readonly OutboxEntry[]>;
  /** the twin needs nothing up to here any more */
  pass(seq: number): void;
}

export interface ReportedKeeperOptions {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly accepted: AcceptedReadings;
  /** milliseconds between two checkpoints at least; default 10,000, never less than 1000 */
  readonly checkpointEveryMs?: number;
}

export interface ReportedKeeper {
  /** a batch was taken: a checkpoint becomes due */
  changed(): void;
  /** resolves when the last checkpoint is on disk, or refused by it */
  close(): Promise<void>;
}

/**
 * Brings reported values back, from the checkpoint and what the outbox accepted after it, and writes the checkpoints.
 * They are a cache of what was read: no damage and no full disk keeps the gateway from starting or from taking readings.
 */
export async function keepReported(options: ReportedKeeperOptions & { reported: Reported }): Promise<ReportedKeeper> {
  const { files, folder, clock, log, metrics, accepted, reported } = options;
  const everyMs = Math.max(everyMsLeast, options.checkpointEveryMs ?? everyMsDefault);
  const written = metrics.counter("penstock_twin_checkpoints_total", "Checkpoints of reported values written");
  const failed = metrics.counter("penstock_twin_checkpoints_failed_total", "Checkpoints that the disk refused");
  let isDirty = false;
  let hasFailed = false;
  let passedTo = 0;
  let cancel: Cancel | null = null;
  let writing: Promise<void> | null = null;
  let isClosed = false;

  async function restore(): Promise<number> {
    try {
      await makeDurableFolder(files, folder);
      const found = await readCheckpoint({ files, folder });
      for (const [device, values] of found?.devices ?? []) reported.restore(device, values);
      // Of another epoch the seq may mean other readings. All that is left is played then: again is no harm.
      return found !== null && found.position.epoch === accepted.position().epoch ? found.position.seq + 1 : 1;
    } catch (error) {
      log.warn({ error }, "Cannot read the checkpoint of reported values: they come back with the next readings");
      return 1;
    }
  }

  async function replay(from: number): Promise<void> {
    let next = from;
    try {
      while (true) {
        const entries = await accepted.read(next, replayBytes);
        if (entries.length === 0) return;
        for (const { firstSeq, count, layout, body } of entries) {
          reported.replay(decodeBatchBody(layout, body));
          next = firstSeq + count;
        }
      }
    } catch (error) {
      log.error({ error, from: next }, "Cannot replay accepted readings: reported values may be older than those");
    }
  }

  /** @returns whether there was anything to write */
  async function checkpoint(): Promise<boolean> {
    // Before the values: they may only be newer than the position.
    const position = accepted.position();
    if (!isDirty && position.seq === passedTo) return false;
    isDirty = false;
    try {
      const devices = reported.all().map(([device, held]) => [device, held.values()] as const);
      await writeCheckpoint({ files, folder, position, devices });
      written.add();
      hasFailed = false;
    } catch (error) {
      isDirty = true;
      failed.add();
      if (!hasFailed) log.warn({ error }, "Cannot write the checkpoint of reported values");
      hasFailed = true;
      // All the same the outbox is let go: on a full disk it would else never shrink, and readings weigh more than a cache.
    }
    passedTo = position.seq;
    accepted.pass(position.seq);
    return true;
  }

  function arm(): void {
    if (isClosed || cancel !== null || writing !== null) return;
    cancel = clock.after(everyMs, () => {
      cancel = null;
      writing = checkpoint().then((again) => {
        writing = null;
        // Once more after the last reading: what was taken and not yet durable has its place by then.
        if (again) arm();
      });
    });
  }

  const start = await restore();
  await replay(start);
  passedTo = start - 1;
  if (accepted.position().seq !== passedTo) arm();
  return {
    changed() {
      isDirty = true;
      arm();
    },
    async close() {
      isClosed = true;
      cancel?.();
      await writing;
      await checkpoint();
    },
  };
}
