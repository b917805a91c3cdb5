import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type AlarmTransition,
  type BootId,
  type DeviceHealth,
  type DeviceSpec,
  type DeviceUid,
  limits,
  type Micros,
  type Reading,
  type RuleHealth,
  type RuleSpec,
  type RuleUid,
} from "@penstock/model";
import { system } from "./context.ts";
import { testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, temperature } from "./test/test-plant.ts";

const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };

async function stage(t: TestContext) {
  const bench = await testBench();
  t.after(() => bench.close());
  const { node, identity } = await plant(bench, "a");
  const { devices, rules, ruleWhys, control } = bench.services;
  const spec = {
    node,
    connection: { protocol: "modbus", settings: { host: "h" } },
    properties: { temperature, clean: { type: "float64", calculated: true } },
  } as unknown as DeviceSpec;
  const made = await devices.create(system, ref("oven"), { metadata: { name: "oven" }, spec });
  const uid = made.metadata.uid as DeviceUid;
  const create = async (given: Partial<RuleSpec>, name = "r") => {
    const rule = { metadata: { name }, spec: { nodes: [node], actions: [{ log: {} }], ...given } };
    return (await rules.create(system, ref(name), rule)).metadata.uid as RuleUid;
  };
  const connect = () => control.nodeConnected(identity, { agentVersion: "1", remote: "t", boot: "b" as BootId });
  /** the gateway says how the rule is, and how the device is */
  const tell = (rule: RuleUid, health: Partial<RuleHealth>, device: Partial<DeviceHealth> = {}) =>
    control.nodeReport(identity, {
      ...{ agentVersion: "1", mappers: [], cycles: [], lines: [], counters: {}, outbox },
      devices: [{ device: uid, state: "online", reason: null, message: null, ...device }],
      rules: [
        {
          ...{ rule, generation: 1, state: "running", reason: null, message: null, rowsIn: 0, rowsOut: 0 },
          ...{ errors: 0, lastError: null, ...health },
        },
      ],
    });
  const read = (value: number | null, more: Partial<Reading> = {}) => {
    const of = { device: uid, property: "temperature", type: "float64", quality: "good", reason: null } as const;
    bench.series.readings.push({ ...of, time: bench.clock.now(), value, ...more } as Reading);
  };
  const whys = async (name = "r") =>
    (await ruleWhys.get(system, ref(name))).nodes.map(({ cause, why }) => [cause, why]);
  return { bench, node, identity, create, connect, tell, read, whys, ruleWhys, uid };
}

test("why: the gateway away, without the rule, with an older one, and what it said itself", async (t) => {
  const { bench, identity, create, connect, tell, whys, ruleWhys } = await stage(t);
  const rule = await create({ sql: "SELECT temperature FROM oven" });
  assert.deepEqual(await whys(), [["node-offline", "its gateway has never connected, and has not told of it"]]);
  connect();
  assert.deepEqual(await whys(), [["not-told", "its gateway has not told of it yet"]]);
  tell(rule, { generation: 0 });
  assert.deepEqual(await whys(), [["waiting", "its gateway has generation 0, not 1 yet"]]);
  tell(rule, { state: "refused", reason: "rules/no-device", message: "there is no stream" });
  assert.deepEqual(await whys(), [["refused", "it is refused there: there is no stream (rules/no-device)"]]);
  tell(rule, { state: "stopped" });
  assert.deepEqual(await whys(), [["stopped", "it is stopped: spec.state"]]);
  tell(rule, { rowsIn: 5, rowsOut: 5 });
  assert.deepEqual(await whys(), [["not-silent", "it is not silent: 5 results of 5 rows"]]);
  bench.services.control.nodeDisconnected(identity, "cut");
  assert.match(
    (await whys())[0]!.join(" "),
    /^node-offline its gateway is not connected since 20\S+Z; it runs on there/,
  );
  await create({ nodes: { labels: { hall: "9" } }, sql: "SELECT temperature FROM oven" }, "nowhere");
  const { assigned, why, nodes } = await ruleWhys.get(system, ref("nowhere"));
  assert.deepEqual([assigned, why, nodes], [false, "it is for no gateway that there is: hall=9", []]);
});

test("why: a stream without readings says since when, and what ails its device", async (t) => {
  const { create, connect, tell, read, whys } = await stage(t);
  connect();
  const rule = await create({ sql: "SELECT temperature FROM oven" });
  tell(rule, {});
  read(20);
  assert.match((await whys())[0]![1]!, /its last reading is of 20\S+Z$/);
  tell(rule, { rowsIn: 9, rowsOut: 9 }, { state: "offline", reason: "mapper/timeout", message: "No answer in 1 s" });
  assert.match(
    (await whys())[0]!.join(" "),
    /^no-readings device "oven" is offline since 20\S+Z: No answer in 1 s; so far 9 results of 9 rows$/,
  );
  const calculated = await create({ sql: "SELECT clean FROM oven" }, "reads-clean");
  tell(calculated, {});
  assert.deepEqual(await whys("reads-clean"), [
    ["no-readings", 'no row has come of device "oven": no reading of it has come yet'],
  ]);
  await create(
    { sql: "SELECT temperature AS clean FROM oven", actions: [{ series: { device: "oven" } }] },
    "makes-clean",
  );
  assert.match((await whys("reads-clean"))[0]![1]!, /and rule "makes-clean" calculates it$/);
  const memory = await create({ sql: "SELECT * FROM m", sources: { m: { memory: {} } } }, "reads-memory");
  tell(memory, {});
  assert.deepEqual(await whys("reads-memory"), [
    ["no-readings", 'no rule at this gateway gives to the stream "m" that it reads'],
  ]);
  const sources = { names: { lookup: { http: { url: "http://h/" } } } };
  const sql = "SELECT oven.temperature FROM oven LEFT JOIN names ON oven.temperature = names.t";
  const joined = await create({ sql, sources }, "joins");
  tell(joined, { rowsIn: 3, rowsOut: 3 });
  assert.deepEqual(await whys("joins"), [["not-silent", "it is not silent: 3 results of 3 rows"]]);
});

test("why: a condition that is never true, a window that is open, an action that fails", async (t) => {
  const { create, connect, tell, read, whys } = await stage(t);
  connect();
  read(20);
  const never = await create({ sql: "SELECT temperature FROM oven WHERE temperature > 100" }, "never");
  tell(never, { rowsIn: 7 });
  assert.deepEqual(await whys("never"), [
    [
      "never-true",
      "none of 7 rows gave a result: WHERE temperature > 100 is not true for the last values, temperature = 20",
    ],
  ]);
  const sql = "SELECT avg(temperature) AS m FROM oven WHERE temperature > 1 GROUP BY TUMBLINGWINDOW(hh, 1)";
  const open = await create({ sql }, "open");
  tell(open, { rowsIn: 7 });
  assert.match(
    (await whys("open"))[0]!.join(" "),
    /^window-open none of 7 rows gave a result: window TUMBLINGWINDOW\(hh, 1\) is still open, it closes at 20\S+:00:00Z$/,
  );
  tell(await create({ sql, eventTime: {} }, "by-rows"), { rowsIn: 7 });
  assert.match((await whys("by-rows"))[0]![1]!, /is still open, a row that is later than its end closes it/);
  tell(never, { rowsIn: 7, rowsOut: 3, errors: 2, lastError: "no broker" });
  assert.deepEqual(await whys("never"), [
    ["failing", "2 times a row or an action failed, last: no broker; so far 3 results of 7 rows"],
  ]);
});

test("why: an alarm that is shelved, that stands already, or that has no reason to", async (t) => {
  const { bench, identity, create, connect, tell, read, whys, uid } = await stage(t);
  connect();
  read(20);
  const rule = await create({
    condition: { device: "oven", property: "temperature", above: 10 },
    actions: [{ alarm: { name: "hot", message: "hot" } }],
  });
  tell(rule, { rowsIn: 3, rowsOut: 3 });
  assert.deepEqual(await whys(), [
    ["alarm-quiet", 'it runs, and its alarm "hot" has no reason to stand; so far 3 results of 3 rows'],
  ]);
  const raised: AlarmTransition = {
    ...{ number: 1, occurrence: 1, kind: "raised", time: 1_000_000 as Micros, rule, ruleName: "r", alarm: "hot" },
    ...{ key: "oven", device: uid, severity: "major", message: "hot", state: "unacknowledged", count: 1 },
    ...{ shelving: null, who: null, comment: null, escalated: 0 },
  };
  const take = (...of: AlarmTransition[]) =>
    bench.services.control.ruleAlarms!.takeTransitions(identity, "e".repeat(32), of);
  await take(raised);
  assert.match((await whys())[0]!.join(" "), /^alarm-stands alarm "hot" of oven is unacknowledged since 1970/);
  const until = (bench.clock.now() + 60e6) as Micros;
  await take({ ...raised, number: 2, kind: "shelved", shelving: { until, by: "ada" } });
  assert.match(
    (await whys())[0]!.join(" "),
    /^alarm-shelved alarm "hot" of oven is shelved by ada until 20\S+Z: nobody/,
  );
  bench.clock.move(61_000);
  assert.equal((await whys())[0]![0], "alarm-stands");
});

test("why: of a gateway with so many rules that it tells of few, the others are well", async (t) => {
  const { bench, identity, create, connect, whys } = await stage(t);
  connect();
  await create({ sql: "SELECT temperature FROM oven" });
  const ill = {
    generation: 1,
    state: "failed",
    reason: null,
    message: null,
    rowsIn: 0,
    rowsOut: 0,
    errors: 1,
  } as const;
  const rules = Array.from({ length: limits.rulesTold }, (_, i) => ({
    ...{ ...ill, rule: String(i).padStart(32, "0") as RuleUid, lastError: null },
  }));
  bench.services.control.nodeReport(identity, {
    ...{ agentVersion: "1", mappers: [], devices: [], cycles: [], lines: [], counters: {}, outbox, rules },
  });
  assert.match((await whys())[0]!.join(" "), /^not-silent .* tells only of 1000, .* none of them$/);
});

test("why: another tenant's rule is not there", async (t) => {
  const { create, ruleWhys } = await stage(t);
  await create({ sql: "SELECT temperature FROM oven" });
  const stranger = { uid: "x", name: "x", role: "operator", tenants: [] } as never;
  await assert.rejects(ruleWhys.get(stranger, ref("r")), refuses("resource/not-found"));
  await assert.rejects(ruleWhys.get(system, ref("none")), refuses("resource/not-found"));
});
