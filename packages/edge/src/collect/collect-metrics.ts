import type { ErrorCode } from "@penstock/model";
import type { Metrics } from "@penstock/runtime";

export type CollectMetrics = ReturnType<typeof collectMetrics>;

/** What collect counts. Reasons are codes of the error table, so their number is bounded. */
export function collectMetrics(metrics: Metrics) {
  return {
    cycles: metrics.counter("penstock_collect_cycles_total", "Cycles begun: one read of one group"),
    overruns: metrics.counter(
      "penstock_collect_overruns_total",
      "Cycles skipped because the one before began late and had not ended, or because the gateway stood still",
    ),
    readings: metrics.counter("penstock_collect_readings_total", "Readings published, good and bad"),
    badReadings: metrics.counter("penstock_collect_bad_readings_total", "Readings published in place of an answer"),
    failures: (code: ErrorCode) =>
      metrics.counter("penstock_collect_failures_total", "Cycles that ended without a good value", { reason: code }),
    newsDropped: metrics.counter(
      "penstock_collect_news_dropped_total",
      "Changes told by devices that found no room in their mapper; the oldest went",
    ),
    changesLost: metrics.counter(
      "penstock_collect_changes_lost_total",
      "Changes told by devices before which others are lost at the device: its queue was full (mapper/changes-lost)",
    ),
    readTime: metrics.histogram(
      "penstock_collect_read_seconds",
      "From the request to the mapper until its answer",
      [0.001, 0.005, 0.02, 0.1, 0.5, 2, 5],
    ),
  };
}
