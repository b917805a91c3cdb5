import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegistry } from "@penstock/runtime";
import { nodeCounters } from "./node-counters.ts";

test("nodeCounters() tells what was dropped or refused, and nothing else", () => {
  const metrics = metricsRegistry();
  assert.deepEqual(nodeCounters(metrics), {});
  metrics.counter("penstock_bus_dropped_readings_total", "Dropped", { consumer: "twin" }).add(3);
  metrics.counter("penstock_bus_dropped_readings_total", "Dropped", { consumer: "bypass" }).add(1);
  metrics.counter("penstock_bypass_refused_total", "Refused", { reason: "no-login" }).add(2);
  metrics.counter("penstock_twin_reports_dropped_total", "Dropped").add(0);
  metrics.counter("penstock_collect_cycles_total", "Cycles").add(100);
  assert.deepEqual(nodeCounters(metrics), { penstock_bus_dropped_readings_total: 4, penstock_bypass_refused_total: 2 });
});
