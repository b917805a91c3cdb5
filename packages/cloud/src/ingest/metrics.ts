import type { limits } from "@penstock/model";
import type { Counter, Metrics } from "@penstock/runtime";

export interface IngestMetrics {
  readonly readings: Counter;
  readonly duplicates: Counter;
  readonly unassigned: Counter;
  readonly lost: Counter;
  readonly failures: Counter;
  /** by the limit of model/src/limits.ts that a node went beyond */
  readonly limited: (limit: keyof typeof limits) => Counter;
}

export function ingestMetrics(metrics: Metrics): IngestMetrics {
  return {
    readings: metrics.counter("penstock_ingest_readings_total", "Readings committed to the series store"),
    duplicates: metrics.counter("penstock_ingest_duplicates_total", "Readings that came again and were left out"),
    unassigned: metrics.counter(
      "penstock_ingest_unassigned_total",
      "Readings of devices that were never assigned to the node; acknowledged and not stored",
    ),
    lost: metrics.counter("penstock_ingest_lost_total", "Readings that a gateway had to remove before they arrived"),
    failures: metrics.counter("penstock_ingest_failed_commits_total", "Commits refused by the store; the session ends"),
    limited: (limit) =>
      metrics.counter("penstock_ingest_limited_total", "Sessions ended because the node went beyond a limit", {
        limit,
      }),
  };
}
