import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegistry } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { addTold, type ToldMetric, ToldMetrics } from "./told-metrics.ts";

test("counters and gauges of the thread stand in the gateway's registry half a second later", async () => {
  const clock = new SimClock();
  const registry = metricsRegistry();
  const told: (readonly ToldMetric[])[] = [];
  const metrics = new ToldMetrics({
    clock,
    tell(changes) {
      told.push(changes);
      addTold(registry, changes);
    },
  });
  const rows = metrics.counter("penstock_rules_rows_total", "Rows", { rule: "a" });
  metrics.counter("penstock_rules_rows_total", "Rows", { rule: "b" });
  const running = metrics.gauge("penstock_rules_running", "Rules");
  rows.add(3);
  metrics.counter("penstock_rules_rows_total", "Rows", { rule: "a" }).add();
  running.set(7);
  running.set(2);
  assert.deepEqual([rows.value, running.value, told.length], [4, 2, 0]);
  await clock.advance(500);
  assert.equal(told.length, 1);
  assert.match(registry.expose(), /penstock_rules_rows_total\{rule="a"\} 4\n/);
  assert.match(registry.expose(), /penstock_rules_rows_total\{rule="b"\} 0\n/);
  assert.match(registry.expose(), /penstock_rules_running 2\n/);
  await clock.advance(10_000);
  assert.equal(told.length, 1, "nothing has changed");
  rows.add(5);
  metrics.flush();
  await clock.advance(10_000);
  assert.deepEqual([told.length, registry.totals()], [2, { penstock_rules_rows_total: 9 }]);
});
