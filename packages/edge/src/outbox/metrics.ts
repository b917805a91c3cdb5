import type { Counter, Gauge, Histogram, Metrics } from "@penstock/runtime";

export type Refusal = "full" | "disk-full" | "write-failed" | "too-large";

export interface OutboxMetrics {
  readonly appended: Counter;
  dropped(why: "full" | "age"): Counter;
  refused(why: Refusal): Counter;
  readonly bytes: Gauge;
  readonly readings: Gauge;
  readonly commitSeconds: Histogram;
}

export function outboxMetrics(metrics: Metrics): OutboxMetrics {
  return {
    appended: metrics.counter("penstock_outbox_appended_readings_total", "Readings that the outbox made durable"),
    dropped: (why) =>
      metrics.counter("penstock_outbox_dropped_readings_total", "Readings removed before the cloud held them", { why }),
    refused: (why) =>
      metrics.counter("penstock_outbox_refused_readings_total", "Readings that the outbox did not take", { why }),
    bytes: metrics.gauge("penstock_outbox_size_bytes", "Bytes of the outbox's segments on disk"),
    readings: metrics.gauge("penstock_outbox_held_readings", "Readings that the cloud does not hold yet"),
    commitSeconds: metrics.histogram(
      "penstock_outbox_commit_seconds",
      "Time to write and sync one group of appends",
      [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2],
    ),
  };
}
