import type { Metrics } from "@penstock/runtime";

/** rows that came to nothing, by why */
export type DropReason = "queue-full" | "cache-full" | "too-large" | "damaged" | "closed";

export interface DeliveryMetrics {
  delivered(rows: number): void;
  retried(): void;
  stored(rows: number): void;
  /** refused for good, or tried as often as it may be */
  givenUp(rows: number): void;
  dropped(reason: DropReason, rows: number): void;
  /** what waits on disk */
  cached(records: number, bytes: number): void;
  deadLetterLost(): void;
}

export function deliveryMetrics(metrics: Metrics, labels: { readonly rule: string; readonly action: string }) {
  const counter = (name: string, help: string, more: Readonly<Record<string, string>> = {}) =>
    metrics.counter(`penstock_rules_${name}_total`, help, { ...labels, ...more });
  const delivered = counter("delivered_rows", "Rows that an action has delivered");
  const retried = counter("retries", "Messages of an action that could not be delivered at once");
  const stored = counter("cached_rows", "Rows that an action has put into its cache");
  const givenUp = counter("given_up_rows", "Rows that the peer of an action refused, or that were tried too often");
  const lost = counter("dead_letters_lost", "Messages given up that could not be published as dead letters either");
  const records = metrics.gauge("penstock_rules_cache_messages", "Messages in the caches of actions");
  const bytes = metrics.gauge("penstock_rules_cache_bytes", "Bytes in the caches of actions");
  let known = { records: 0, bytes: 0 };
  return {
    delivered: (rows) => delivered.add(rows),
    retried: () => retried.add(),
    stored: (rows) => stored.add(rows),
    givenUp: (rows) => givenUp.add(rows),
    dropped: (reason, rows) => {
      if (rows > 0) counter("dropped_rows", "Rows of results that an action dropped", { reason }).add(rows);
    },
    cached: (nowRecords, nowBytes) => {
      records.set(records.value + nowRecords - known.records);
      bytes.set(bytes.value + nowBytes - known.bytes);
      known = { records: nowRecords, bytes: nowBytes };
    },
    deadLetterLost: () => lost.add(),
  } satisfies DeliveryMetrics;
}
