import {
  type BusConsumer,
  batchFromSamples,
  codeOf,
  type Outbox,
  type ReadingBatch,
  readingsOf,
} from "@penstock/model";
import type { Log } from "@penstock/runtime";

/** Appends that may wait for the disk at once. They share one sync, so waiting for each in turn would waste it. */
const inFlightMax = 512;

/**
 * Puts what goes to the cloud into the outbox, in the bus's order. The bus waits when `inFlightMax` appends do; what the
 * outbox refuses is counted there.
 *
 * @param options.toCloud whether a property's readings go to the cloud
 */
export function outboxConsumer(options: {
  readonly outbox: Outbox;
  readonly toCloud: (batch: ReadingBatch, property: string) => boolean;
  readonly log: Log;
}): BusConsumer & { idle(): Promise<void> } {
  const { outbox, toCloud, log } = options;
  const inFlight = new Set<Promise<void>>();
  let lastRefusal: string | null = null;
  const append = async (batch: ReadingBatch) => {
    try {
      await outbox.append(batch);
      lastRefusal = null;
    } catch (error) {
      // One line for a run of refusals: a full disk would otherwise fill with the log of being full.
      if (lastRefusal === codeOf(error)) return;
      lastRefusal = codeOf(error);
      log.error({ error }, "The outbox refuses readings");
    }
  };
  return {
    name: "outbox",
    bound: 256,
    policy: "wait",
    take(batch) {
      const chosen = chooseRows(batch, (property) => toCloud(batch, property));
      if (chosen === null) return;
      const work: Promise<void> = append(chosen).finally(() => inFlight.delete(work));
      inFlight.add(work);
      return inFlight.size >= inFlightMax ? Promise.race(inFlight) : undefined;
    },
    async idle() {
      await Promise.all(inFlight);
    },
  };
}

/** The rows whose property is kept; the batch itself when that is all of them, null when it is none. */
export function chooseRows(batch: ReadingBatch, keep: (property: string) => boolean): ReadingBatch | null {
  const { properties } = batch.layout;
  let kept = 0;
  for (let row = 0; row < batch.count; row++) if (keep(properties[batch.index?.[row] ?? row]!.name)) kept += 1;
  if (kept === batch.count) return batch;
  if (kept === 0) return null;
  const samples = readingsOf(batch).filter((reading) => keep(reading.property));
  return batchFromSamples({ layout: batch.layout, samples, clock: batch.clock }).batch;
}
