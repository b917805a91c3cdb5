// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Micros } from "@penstock/model";
import { device, rule, site } from "./rules-fixture.ts";

test("a device is a stream of its own types, and what is known of it is in meta()", async () => {
  const { apply, come, out, statusOf } = site();
  const sql =
    "SELECT level, count / 2 AS half, meta(unit.level) AS unit, meta(device) AS device FROM `tank-01` WHERE level > 1";
  apply([rule("high", sql)]);
  assert.equal(statusOf("high").state, "running");
  await come({ level: 0.5, count: 7 });
  await come({ level: 1.5, count: 7 });
  assert.deepEqual(out, [["high", { level: 1.5, half: 3, unit: "m", device: "tank-01" }]]);
});

test("a window closes when its time has come, though nothing comes any more", async () => {
  const { apply, come, out, clock } = site();
  apply([rule("mean", "SELECT avg(level) AS mean, count(*) AS n FROM `tank-01` GROUP BY TUMBLINGWINDOW(ss, 10)")]);
  await come({ level: 1, count: 1 });
  await come({ level: 2, count: 1 });
  assert.deepEqual(out, []);
  await clock.advanceAsync(10_000);
  assert.deepEqual(out, [["mean", { mean: 1.5, n: 2 }]]);
});

test("a rule that is refused says where and why, and the others run", async () => {
  const { apply, come, out, statusOf } = site();
  apply([rule("bad", "SELECT levle FROM `tank-01`"), rule("good", "SELECT level FROM `tank-01`")]);
  const bad = statusOf("bad");
  assert.deepEqual([bad.state, bad.reason], ["refused", "rules/bad-sql"]);
  assert.match(bad.message!, /line 1, column 8, near "levle": there is no column "levle"/);
  await come({ level: 1, count: 1 });
  assert.equal(out.length, 1);
  const { state, rowsIn, rowsOut, errors } = statusOf("good");
  assert.deepEqual([state, rowsIn, rowsOut, errors], ["running", 1, 1, 0]);
});

test("a rule keeps what it has gathered while nothing of it changes, whatever becomes of others and other devices", async () => {
  const { apply, come, out, clock } = site();
  const count = rule("n", "SELECT count(*) AS n FROM `tank-01` GROUP BY TUMBLINGWINDOW(ss, 10)");
  apply([count]);
  await come({ level: 1, count: 1 });
  apply(
    [{ ...count, generation: 2 }, rule("other", "SELECT level FROM `tank-01` WHERE FALSE")],
    [device("tank-01", { generation: 7, address: { unitId: 9 } }), device("tank-02")],
  );
  await come({ level: 1, count: 1 });
  await clock.advanceAsync(10_000);
  assert.deepEqual(out, [["n", { n: 2 }]]);
});

test("a rule that waits for its device begins when the device comes, and is refused when it goes", async () => {
  const { apply, come, out, statusOf } = site();
  const of = rule("r", "SELECT level FROM `tank-02`");
  apply([of]);
  assert.equal(statusOf("r").reason, "rules/no-device");
  assert.match(statusOf("r").message!, /there is no stream "tank-02"/);
  apply([of], [device("tank-02")]);
  await come({ level: 1, count: 1 }, "tank-02");
  assert.equal(out.length, 1);
  apply([of]);
  assert.equal(statusOf("r").state, "refused");
});

test("an error is of its row: it is counted and told, and the rule goes on", async () => {
  const { apply, come, out, statusOf, metrics } = site();
  apply([rule("ratio", "SELECT level / count AS ratio FROM `tank-01`")]);
  await come({ level: 1, count: 0 });
  await come({ level: 1, count: 2 });
  assert.deepEqual(out, [["ratio", { ratio: 0.5 }]]);
  const { errors, lastError } = statusOf("ratio");
  assert.deepEqual([errors, lastError], [1, "Cannot calculate 1 / 0: division by zero"]);
  assert.equal(metrics.totals().penstock_rules_errors_total, 1);
});

test("a rule that is stopped does nothing, and goes on when it is no more", async () => {
  const { apply, come, out, statusOf } = site();
  const of = rule("r", "SELECT level FROM `tank-01`");
  apply([{ ...of, isStopped: true }]);
  await come({ level: 1, count: 1 });
  assert.deepEqual([statusOf("r").state, out.length], ["stopped", 0]);
  apply([of]);
  await come({ level: 2, count: 1 });
  assert.deepEqual([statusOf("r").state, out], ["running", [["r", { level: 2 }]]]);
});

test("series: columns become readings of calculated properties, and only those rules see them that name them", async () => {
  const { apply, come, series, statusOf, out } = site();
  apply([
    rule("clean", "SELECT level * 2 AS clean, count AS mean FROM `tank-01`", {
      actions: [{ series: { device: "tank-01" } }],
    }),
    rule("all", "SELECT * FROM `tank-01`"),
    rule("after", "SELECT clean FROM `tank-01` WHERE clean IS NOT NULL"),
  ]);
  await come({ level: 1.5, count: 3 });
  assert.deepEqual(series(), [
    ["mean", 3],
    ["clean", 3],
  ]);
  assert.deepEqual(out.map(([topic]) => topic).sort(), ["after", "all"]);
  assert.equal(statusOf("clean").rowsIn, 1);
});

test("series: what the property's type cannot hold is a bad reading, and a property that is collected is not touched", async () => {
  const { apply, come, series, statusOf } = site();
  apply([
    rule("half", "SELECT level / 2 AS mean FROM `tank-01`", { actions: [{ series: { device: "tank-01" } }] }),
    rule("wrong", "SELECT level AS count FROM `tank-01`", { actions: [{ series: { device: "tank-01" } }] }),
  ]);
  await come({ level: 1, count: 1 });
  assert.deepEqual(series(), [["mean", null]]);
  assert.match(statusOf("wrong").lastError!, /collects "count": it is not calculated/);
});

// Each result would make the next one, for ever.
test("a rule that would be fed with what it gives is refused, by itself or by way of others", () => {
  const { apply, statusOf } = site();
  const to = (name: string) => ({ actions: [{ series: { device: "tank-01", properties: { x: name } } }] });
  apply([
    rule("own", "SELECT clean + 1 AS x FROM `tank-01`", to("clean")),
    rule("a", "SELECT clean AS x FROM `tank-01`", to("mean")),
    rule("b", "SELECT mean AS x FROM `tank-01`", to("clean")),
  ]);
  assert.deepEqual(
    [statusOf("own").reason, statusOf("a").state, statusOf("b").reason],
    ["rules/loop", "running", "rules/loop"],
  );
  assert.match(statusOf("b").message!, /b ─▶ a ─▶ b/);
});

test("memory: rows of a rule are a stream for others, with their types", async () => {
  const { apply, come, out } = site();
  apply([
    rule("first", "SELECT count, level FROM `tank-01`", { actions: [{ memory: { stream: "seen" } }] }),
    rule("second", "SELECT count / 2 AS half, level FROM seen WHERE level > 1", { sources: { seen: { memory: {} } } }),
  ]);
  await come({ level: 1, count: 7 });
  await come({ level: 2, count: 7 });
  assert.deepEqual(out, [["second", { half: 3, level: 2 }]]);
});

test("write and call: values keep their types, in the name of the rule", async () => {
  const { apply, come, writes, calls, statusOf } = site();
  apply([
    rule("act", "SELECT level, count FROM `tank-01`", {
      actions: [
        { write: { device: "tank-01", property: "target", value: "${level}" } },
        { call: { device: "${missing}tank-01", method: "dose", arguments: { n: "${count}" } } },
        { write: { device: "tank-01", property: "level", value: 1 } },
      ],
    }),
  ]);
  await come({ level: 1.5, count: 3 });
  assert.deepEqual(
    writes.map(({ property, value, holder }) => [property, value, holder]),
    [["target", 1.5, "rule:act"]],
  );
  assert.deepEqual(
    calls.map(({ method, arguments: given }) => [method, given[0]!.value]),
    [["dose", 3n]],
  );
  assert.match(statusOf("act").lastError!, /localWrites is refuse/);
});

test("an action that this gateway does not have refuses its rule, and closing waits for what is under way", async () => {
  const { apply, statusOf, rules } = site();
  apply([rule("r", "SELECT level FROM `tank-01`", { actions: [{ fax: {} } as never] })]);
  assert.deepEqual([statusOf("r").state, statusOf("r").reason], ["refused", "rules/unknown-action"]);
  await rules.close();
});

test("with event time rows count when they were read, and a source that says no more holds nothing up", async () => {
  const { apply, come, out, clock } = site();
  const eventTime = { lateToleranceMs: 1000, idleAfterMs: 5000 };
  const sql = "SELECT count(*) AS n, window_end() AS till FROM `tank-01` GROUP BY TUMBLINGWINDOW(ss, 10)";
  apply([rule("n", sql, { eventTime })]);
  const at = (seconds: number) => (1_700_000_000_000_000 + seconds * 1_000_000) as Micros;
  for (const seconds of [1, 9.5, 10.5, 9.9, 12]) await come({ level: 1, count: 1 }, "tank-01", at(seconds));
  assert.deepEqual(out, [["n", { n: 3, till: 1_700_000_010_000 }]]);
  await come({ level: 1, count: 1 }, "tank-01", at(20));
  assert.equal(out.length, 1, "a row of 19.5 s may still come");
  await clock.advanceAsync(5000);
  await turn();
  assert.deepEqual(out[1], ["n", { n: 2, till: 1_700_000_020_000 }]);
});
