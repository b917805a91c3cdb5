import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromSamples, type DeviceUid, type EffectiveDevice, layoutOrder, type Value } from "@penstock/model";
import type { HostFunctions, ObjectValue } from "@penstock/rules";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { createRules } from "./rules.ts";
import type { RuleSpec } from "./running-rule.ts";

const host: HostFunctions = {
  digest: (_algorithm, bytes) => bytes,
  compress: (_method, bytes) => bytes,
  decompress: (_method, bytes) => bytes,
  random: () => 0.5,
  uuid: () => "00000000-0000-4000-8000-000000000000",
};
const uid = "d".repeat(32) as DeviceUid;
const property = (name: string, type: "float64" | "int16", unit: string | null) => ({ name, type, unit });
/** what rules look at of a device */
const tank = (generation = 1) =>
  ({
    uid,
    name: "tank-01",
    generation,
    properties: [property("level", "float64", "m"), property("count", "int16", null)],
  }) as unknown as EffectiveDevice;
const layout = {
  id: 1,
  device: uid,
  properties: layoutOrder([
    { name: "level", type: "float64" },
    { name: "count", type: "int16" },
  ]),
};

function site() {
  const clock = new SimClock();
  const out: [string, readonly ObjectValue[]][] = [];
  const metrics = metricsRegistry();
  const rules = createRules({
    clock,
    log: silentLog,
    metrics,
    host,
    emit: (rule, rows) => out.push([rule, rows.map((row) => ({ ...row }))]),
  });
  const apply = (specs: readonly RuleSpec[], devices = [tank()]) =>
    rules.apply({ tenant: "acme", timeZone: "UTC", offsetAt: () => 0, devices, rules: specs });
  const come = (values: { readonly [name: string]: Value }) => {
    const time = clock.now();
    const samples = Object.entries(values).map(
      ([name, value]) => ({ property: name, time, value, quality: "good", reason: null }) as const,
    );
    return rules.consumer.take(batchFromSamples({ layout, samples }).batch);
  };
  return { clock, out, rules, apply, come, metrics };
}
const rule = (name: string, sql: string): RuleSpec => ({ name, sql, mode: "strict" });

test("a device is a stream of its own types, and what is known of it is in meta()", () => {
  const { apply, come, out } = site();
  const sql =
    "SELECT level, count / 2 AS half, meta(unit.level) AS unit, meta(device) AS device FROM `tank-01` WHERE level > 1";
  assert.deepEqual(
    apply([rule("high", sql)]).map(({ state }) => state),
    ["running"],
  );
  come({ level: 0.5, count: 7 });
  come({ level: 1.5, count: 7 });
  assert.deepEqual(out, [["high", [{ level: 1.5, half: 3n, unit: "m", device: "tank-01" }]]]);
});

test("a window closes when its time has come, though nothing comes any more", async () => {
  const { apply, come, out, clock } = site();
  apply([rule("mean", "SELECT avg(level) AS mean, count(*) AS n FROM `tank-01` GROUP BY TUMBLINGWINDOW(ss, 10)")]);
  come({ level: 1, count: 1 });
  come({ level: 2, count: 1 });
  assert.deepEqual(out, []);
  await clock.advanceAsync(10_000);
  assert.deepEqual(out, [["mean", [{ mean: 1.5, n: 2n }]]]);
});

test("a rule that is refused says where and why, and the others run", () => {
  const { apply, come, out, rules } = site();
  const [bad, good] = apply([rule("bad", "SELECT levle FROM `tank-01`"), rule("good", "SELECT level FROM `tank-01`")]);
  assert.ok(bad?.state === "refused" && good?.state === "running");
  assert.equal(bad.reason, "rules/bad-sql");
  assert.match(bad.message, /line 1, column 8, near "levle": there is no column "levle"/);
  come({ level: 1, count: 1 });
  assert.equal(out.length, 1);
  const [, now] = rules.status();
  assert.ok(now?.state === "running");
  assert.deepEqual([now.rowsIn, now.rowsOut, now.errors], [1, 1, 0]);
});

test("a rule keeps what it has gathered while nothing of it changes, and begins anew when its SQL or its device does", async () => {
  const { apply, come, out, clock } = site();
  const count = rule("n", "SELECT count(*) AS n FROM `tank-01` GROUP BY TUMBLINGWINDOW(ss, 10)");
  apply([count]);
  come({ level: 1, count: 1 });
  apply([count, rule("other", "SELECT level FROM `tank-01` WHERE FALSE")]);
  come({ level: 1, count: 1 });
  await clock.advanceAsync(10_000);
  assert.deepEqual(out, [["n", [{ n: 2n }]]]);
  come({ level: 1, count: 1 });
  apply([count], [tank(2)]);
  await clock.advanceAsync(20_000);
  assert.equal(out.length, 1, "the row of before the edit is gone");
});

test("an error is of its row: it is counted and told, and the rule goes on", () => {
  const { apply, come, out, rules, metrics } = site();
  apply([rule("ratio", "SELECT level / count AS ratio FROM `tank-01`")]);
  come({ level: 1, count: 0 });
  come({ level: 1, count: 2 });
  assert.deepEqual(out, [["ratio", [{ ratio: 0.5 }]]]);
  const [status] = rules.status();
  assert.ok(status?.state === "running");
  assert.deepEqual([status.errors, status.lastError], [1, "Cannot calculate 1 / 0: division by zero"]);
  assert.equal(metrics.totals().penstock_rules_errors_total, 1);
});
