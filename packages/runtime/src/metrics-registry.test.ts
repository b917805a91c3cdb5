import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegistry } from "./metrics-registry.ts";

test("metrics.expose() prints the text exposition with escaped labels and cumulative buckets", () => {
  const metrics = metricsRegistry();
  metrics.counter("penstock_bus_dropped_readings_total", "Readings dropped", { consumer: 'a"b\\c' }).add(3);
  metrics.counter("penstock_bus_dropped_readings_total", "Readings dropped", { consumer: 'a"b\\c' }).add();
  metrics.gauge("penstock_outbox_bytes", "Bytes held").set(7);
  const histogram = metrics.histogram("penstock_ingest_commit_seconds", "Commit time", [0.1, 1]);
  for (const value of [0.05, 0.5, 5]) histogram.observe(value);
  assert.equal(
    metrics.expose(),
    [
      "# HELP penstock_bus_dropped_readings_total Readings dropped",
      "# TYPE penstock_bus_dropped_readings_total counter",
      'penstock_bus_dropped_readings_total{consumer="a\\"b\\\\c"} 4',
      "# HELP penstock_outbox_bytes Bytes held",
      "# TYPE penstock_outbox_bytes gauge",
      "penstock_outbox_bytes 7",
      "# HELP penstock_ingest_commit_seconds Commit time",
      "# TYPE penstock_ingest_commit_seconds histogram",
      'penstock_ingest_commit_seconds_bucket{le="0.1"} 1',
      'penstock_ingest_commit_seconds_bucket{le="1"} 2',
      'penstock_ingest_commit_seconds_bucket{le="+Inf"} 3',
      "penstock_ingest_commit_seconds_sum 5.55",
      "penstock_ingest_commit_seconds_count 3",
      "",
    ].join("\n"),
  );
  assert.throws(() => metrics.gauge("penstock_bus_dropped_readings_total", "again"), /counter already/);
});

test("metrics.totals() sums each counter over its labels and leaves out gauges and histograms", () => {
  const metrics = metricsRegistry();
  const dropped = (consumer: string) => metrics.counter("penstock_bus_dropped_readings_total", "Dropped", { consumer });
  dropped("twin").add(3);
  dropped("bypass").add(4);
  metrics.counter("penstock_link_reconnects_total", "Reconnects");
  metrics.gauge("penstock_outbox_bytes", "Bytes held").set(7);
  metrics.histogram("penstock_ingest_commit_seconds", "Commit time", [1]).observe(0.5);
  assert.deepEqual(metrics.totals(), { penstock_bus_dropped_readings_total: 7, penstock_link_reconnects_total: 0 });
});
