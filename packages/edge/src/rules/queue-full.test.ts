import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromSamples, layoutOrder } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { createBus } from "../bus/bus.ts";
import { directFeed } from "./rule-feed.ts";
import { device, rule, site } from "./rules-fixture.ts";

test("1.6.13 while a rule is behind, what has waited longest goes, is counted, and the newest is not held up", async () => {
  const clock = new SimClock();
  const metrics = metricsRegistry();
  const feed = directFeed({ clock, metrics });
  let isBusy = false;
  const busy = Promise.withResolvers<void>();
  const { apply, out, rules } = site({
    feed: {
      ...feed,
      take(input) {
        const taken = feed.take(input);
        const isFirst = !isBusy;
        isBusy = true;
        return isFirst ? busy.promise : taken;
      },
    },
  });
  const { bound } = rules.consumer;
  const sql = `SELECT collect(level) AS levels FROM \`tank-01\` GROUP BY COUNTWINDOW(${bound + 1})`;
  apply([rule("all", sql, { mode: "compat" })]);
  const bus = createBus({ log: silentLog, metrics });
  bus.subscribe(rules.consumer);
  const { uid, properties } = device("tank-01");
  const layout = {
    ...{ id: 1, device: uid },
    properties: layoutOrder(
      properties.filter(({ name }) => name === "level").map(({ name, type }) => ({ name, type })),
    ),
  };
  const surplus = 7;
  for (let level = 0; level <= bound + surplus; level++) {
    const sample = { property: "level", time: clock.now(), value: level, quality: "good", reason: null } as const;
    await bus.publish(batchFromSamples({ layout, samples: [sample] }).batch);
  }
  assert.deepEqual(out, []);
  busy.resolve();
  for (let turns = 0; out.length === 0 && turns < 10_000; turns++) await clock.advance(1);
  const levels = [0, ...Array.from({ length: bound }, (_, at) => at + 1 + surplus)];
  assert.deepEqual(out, [["all", { levels }]]);
  assert.equal(metrics.totals().penstock_bus_dropped_readings_total, surplus);
});
