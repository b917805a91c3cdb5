import { limits, parseDuration, type RuleActionOf } from "@penstock/model";
import type { BatchSettings } from "./batching.ts";
import type { DeliverySettings } from "./delivery-machine.ts";

/** What every action to the outside takes. */
export type DeliverySpec = Pick<
  RuleActionOf<"http">,
  "send" | "fields" | "template" | "batch" | "retry" | "cache" | "deadLetter"
>;

const lingerMs = 1_000;
const firstMs = 1_000;
const longestMs = 60_000;
/** without a cache the newest must not wait for long behind what nobody takes */
const attemptsUncached = 5;
const cacheBytes = 16 * 1024 * 1024;
/** what waits in memory: its bound; beyond, it goes to the cache, or the oldest are dropped and counted */
const queue = { queueParcels: 1_000, queueBytes: 4 * 1024 * 1024 } as const;

export function deliverySettings({ retry, cache }: DeliverySpec): DeliverySettings {
  const attempts = retry?.attempts ?? (cache === undefined ? attemptsUncached : null);
  return {
    ...queue,
    ...{ attempts, order: cache?.order ?? "oldest-first", hasCache: cache !== undefined },
    firstMs: msOf(retry?.first, firstMs),
    longestMs: msOf(retry?.longest, longestMs),
  };
}

export function batchSettings({ send = "each", batch }: DeliverySpec, takesMany: boolean): BatchSettings {
  const rows = batch === undefined ? null : (batch.rows ?? limits.ruleBatchRows);
  return { send, takesMany, rows, lingerMs: msOf(batch?.linger, lingerMs) };
}

export function cacheBytesOf({ cache }: DeliverySpec): number | null {
  return cache === undefined ? null : (cache.bytes ?? cacheBytes);
}

export function msOf(duration: string | undefined, byDefault: number): number {
  return duration === undefined ? byDefault : (parseDuration(duration) ?? byDefault);
}
