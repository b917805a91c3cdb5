import { type BusConsumer, codeOf, type Outbox, type ReadingBatch } from "@penstock/model";
import type { Log } from "@penstock/runtime";
import type { ReportFilter } from "./report-filter.ts";

/** Appends that may wait for the disk at once. They share one sync, so waiting for each in turn would waste it. */
const inFlightMax = 512;

/**
 * Puts what goes to the cloud into the outbox, in the bus's order. The bus waits when `inFlightMax` appends do; what the
 * outbox refuses is counted there.
 *
 * @param options.reports what of the readings goes to the cloud; null = all of them
 */
export function outboxConsumer(options: {
  readonly outbox: Outbox;
  readonly reports: Pick<ReportFilter, "choose" | "refused"> | null;
  readonly log: Log;
}): BusConsumer & { idle(): Promise<void> } {
  const { outbox, reports, log } = options;
  const inFlight = new Set<Promise<void>>();
  let lastRefusal: string | null = null;
  const append = async (batch: ReadingBatch) => {
    try {
      await outbox.append(batch);
      lastRefusal = null;
    } catch (error) {
      reports?.refused(batch);
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
      const chosen = reports === null ? batch : reports.choose(batch);
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
