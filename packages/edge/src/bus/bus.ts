import { type Bus, type BusConsumer, traceId } from "@penstock/model";
import type { Log, Metrics } from "@penstock/runtime";
import { BatchQueue } from "./batch-queue.ts";

/**
 * Hands every batch to every consumer, in the order published; a consumer sees one batch at a time. A consumer with room
 * costs the publisher no promise. Queues are bounded by each consumer's own `bound`; callers of `publish` who wait for a
 * full consumer are kept in order, and their number is bounded by their own awaiting.
 */
export function createBus({ log, metrics }: { log: Log; metrics: Metrics }): Bus {
  let queues: readonly BatchQueue[] = [];
  const published = metrics.counter("penstock_bus_published_readings_total", "Readings published on the bus");
  return {
    publish(batch) {
      published.add(batch.count);
      if (log.tracing) log.trace({ file: "edge/src/bus/bus.ts", id: traceId(batch) }, "Published");
      const now = queues;
      let full: Promise<void>[] | null = null;
      // First into every queue, then deliver: a consumer that publishes while it takes must not overtake this batch.
      for (const queue of now) {
        const waits = queue.put(batch);
        if (waits !== null) {
          full ??= [];
          full.push(waits);
        }
      }
      for (const queue of now) queue.deliver();
      return full === null ? done : Promise.all(full).then(nothing);
    },
    subscribe(consumer) {
      if (queues.some((queue) => queue.name === consumer.name)) {
        throw new Error(`Cannot subscribe "${consumer.name}": name taken, want another`);
      }
      const queue = new BatchQueue(consumer, countersOf(consumer, metrics), log);
      queues = [...queues, queue];
      return () => {
        queues = queues.filter((other) => other !== queue);
        queue.close();
      };
    },
  };
}

const done = Promise.resolve();
const nothing = () => {};

function countersOf({ name }: BusConsumer, metrics: Metrics) {
  const labels = { consumer: name };
  return {
    dropped: metrics.counter(
      "penstock_bus_dropped_readings_total",
      "Readings that a consumer never saw because it fell behind its bound",
      labels,
    ),
    failed: metrics.counter(
      "penstock_bus_failed_readings_total",
      "Readings during whose handling a consumer threw",
      labels,
    ),
  };
}
