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

export function deliveryMetrics(metrics: Metrics, of: { readonly rule: string; readonly action: string }) {
  const { rule, action } = of;
  const labels = { rule, action };
  const delivered = metrics.counter("penstock_rules_delivered_rows_total", "Rows that an action has delivered", labels);
  // What seldom happens has its counter when it has happened: there may be thousands of actions.
  const retried = () =>
    metrics.counter(
      "penstock_rules_retries_total",
      "Messages of an action that could not be delivered at once",
      labels,
    );
  const stored = () =>
    metrics.counter("penstock_rules_cached_rows_total", "Rows that an action has put into its cache", labels);
  const givenUp = () =>
    metrics.counter(
      "penstock_rules_given_up_rows_total",
      "Rows that the peer of an action refused, or that were tried too often",
      labels,
    );
  const lost = () =>
    metrics.counter(
      "penstock_rules_dead_letters_lost_total",
      "Messages given up that could not be published as dead letters either",
      labels,
    );
  const drops = (reason: DropReason) =>
    metrics.counter("penstock_rules_dropped_rows_total", "Rows of results that an action dropped", {
      rule,
      action,
      reason,
    });
  const records = metrics.gauge("penstock_rules_cache_messages", "Messages in the caches of actions");
  const bytes = metrics.gauge("penstock_rules_cache_bytes", "Bytes in the caches of actions");
  let known = { records: 0, bytes: 0 };
  return {
    delivered: (rows) => delivered.add(rows),
    retried: () => retried().add(),
    stored: (rows) => stored().add(rows),
    givenUp: (rows) => givenUp().add(rows),
    dropped: (reason, rows) => {
      if (rows > 0) drops(reason).add(rows);
    },
    cached: (nowRecords, nowBytes) => {
      records.set(records.value + nowRecords - known.records);
      bytes.set(bytes.value + nowBytes - known.bytes);
      known = { records: nowRecords, bytes: nowBytes };
    },
    deadLetterLost: () => lost().add(),
  } satisfies DeliveryMetrics;
}
