// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type AppError, type DeviceSpec, hiddenSecret, type NodeReport, type RuleSpec } from "@penstock/model";
import { system } from "./context.ts";
import { testBench } from "./test/test-bench.ts";
import { plant, ref, temperature } from "./test/test-plant.ts";

const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };

async function stage(t: TestContext) {
  const bench = await testBench();
  t.after(() => bench.close());
  const { node, identity } = await plant(bench, "a");
  const { devices, rules, nodes } = bench.services;
  const spec = {
    node,
    connection: { protocol: "modbus", settings: { host: "h" } },
    properties: {
      temperature,
      clean: { type: "float64", calculated: true },
      target: { ...temperature, access: "readWrite", localWrites: "hold", visitor: { table: "holding", offset: 9 } },
    },
  } as unknown as DeviceSpec;
  await devices.create(system, ref("oven"), { metadata: { name: "oven" }, spec });
  const rule = (given: Partial<RuleSpec> & { sql: string }) => ({
    metadata: { name: "r" },
    spec: { nodes: [node], actions: [{ log: {} }], ...given },
  });
  const create = (given: Partial<RuleSpec> & { sql: string }) => rules.create(system, ref("r"), rule(given));
  const assigned = () => bench.services.control.assigned(identity);
  return { bench, node, identity, rules, nodes, devices, rule, create, assigned };
}
/** what is refused, as "field: value: rule" */
async function refused(doing: Promise<unknown>): Promise<string[]> {
  const error = await doing.then(
    () => assert.fail("nothing was refused"),
    (error: AppError) => error,
  );
  return error.fields.map(({ field, value, rule }) => `${field}: ${value}: ${rule}`);
}

test("a rule reaches its gateways as they run it, and each change of it, until it is gone", async (t) => {
  const { bench, node, identity, rules, create, assigned } = await stage(t);
  const before = (await assigned()).version;
  await create({ sql: "SELECT temperature FROM oven", eventTime: { lateTolerance: "2s" }, state: "stopped" });
  const first = await assigned();
  assert.ok(first.version > before);
  assert.deepEqual(
    first.rules.map(({ uid: _, ...rest }) => rest),
    [
      {
        ...{ name: "r", generation: 1, sql: "SELECT temperature FROM oven", mode: "strict", sources: {} },
        ...{ actions: [{ log: {} }], isStopped: true, eventTime: { lateToleranceMs: 2000, idleAfterMs: 60_000 } },
      },
    ],
  );
  assert.ok(bench.nudges.includes(`assigned ${identity.node}`));
  await rules.update(system, ref("r"), { patch: { spec: { state: "running", eventTime: null } }, ifMatch: "*" });
  const second = await assigned();
  assert.deepEqual(
    [second.rules[0]!.generation, second.rules[0]!.isStopped, second.rules[0]!.eventTime],
    [2, false, null],
  );
  await rules.remove(system, ref("r"), "*");
  const third = await assigned();
  assert.deepEqual([third.rules, third.version > second.version], [[], true]);
  assert.equal(node, third.node.name);
});

test("a rule for labels reaches a gateway when its labels come to match, and leaves it when they do so no more", async (t) => {
  const { node, nodes, create, assigned } = await stage(t);
  await create({ nodes: { labels: { line: "filling" } }, sql: "SELECT temperature FROM oven" });
  assert.deepEqual((await assigned()).rules, []);
  for (const [labels, count] of [
    [{ line: "filling", cell: "3" }, 1],
    [{ line: "packing" }, 0],
  ] as const) {
    const { version } = await assigned();
    await nodes.update(system, ref(node), { patch: { metadata: { labels } }, ifMatch: "*" });
    const now = await assigned();
    assert.deepEqual([now.rules.length, now.version > version], [count, true]);
  }
});

test("SQL that is wrong is refused with its place, and what was stored stays", async (t) => {
  const { rules, rule, create, node } = await stage(t);
  await create({ sql: "SELECT temperature FROM oven" });
  const change = (sql: string) => refused(rules.update(system, ref("r"), { replace: rule({ sql }), ifMatch: "*" }));
  const [syntax] = await change("SELECT temperature\nFORM oven");
  assert.match(syntax!, /^spec\.sql: "?.*"?: line 2, column 1: /);
  assert.deepEqual(await change("SELECT temprature FROM oven"), [
    `spec.sql: "temprature": line 1, column 8: at gateway "${node}": there is no column "temprature"`,
  ]);
  assert.deepEqual(await change("SELECT a FROM press"), [
    `spec.sql: "press": line 1, column 15: at gateway "${node}": there is no stream "press"`,
  ]);
  assert.equal((await rules.get(system, ref("r"))).spec.sql, "SELECT temperature FROM oven");
});

test("a rule that fits one of its gateways is stored; one that fits none, or names one that there is not, is not", async (t) => {
  const { nodes, node, create, rules } = await stage(t);
  await nodes.create(system, ref("gw-empty"), { metadata: { name: "gw-empty" }, spec: {} });
  const sql = "SELECT temperature FROM oven";
  assert.match((await refused(create({ nodes: ["gw-empty"], sql })))[0]!, /at gateway "gw-empty": there is no stream/);
  assert.match((await refused(create({ nodes: ["gw-none"], sql })))[0]!, /^spec\.nodes\[0\]: "gw-none"/);
  await create({ nodes: ["gw-empty", node], sql });
  const { status } = await rules.get(system, ref("r"));
  assert.deepEqual(new Set(status.nodes.map((one) => one.node)), new Set(["gw-empty", node]));
});

test("actions are held against the results and the devices", async (t) => {
  const { create, node } = await stage(t);
  const wrong = (action: RuleSpec["actions"][number], sql = "SELECT temperature AS t FROM oven") =>
    refused(create({ sql, actions: [{ log: {} }, action] }));
  assert.deepEqual(await wrong({ mqtt: { topic: "a/${x}" } }), [
    'spec.actions[1].mqtt.topic: "a/${x}": names no column "x": there are t',
  ]);
  assert.match((await wrong({ mqtt: { topic: "a/#/${t}" } }))[0]!, /^spec\.actions\[1\]\.mqtt\.topic: .*wildcard/);
  assert.deepEqual(await wrong({ series: { device: "oven" } }), [
    `spec.actions[1].series: "t": must be a calculated property of device "oven" at gateway "${node}" (calculated: true): there is no such property`,
  ]);
  assert.match((await wrong({ series: { device: "oven", properties: { t: "target" } } }))[0]!, /it is collected/);
  assert.match((await wrong({ series: { device: "oven", properties: { z: "clean" } } }))[0]!, /is no column/);
  assert.match(
    (await wrong({ write: { device: "oven", property: "temperature", value: 1 } }))[0]!,
    /access .* is read/,
  );
  assert.match((await wrong({ write: { device: "oven", property: "target", value: "hot" } }))[0]!, /must be a number/);
  assert.match((await wrong({ write: { device: "press", property: "target", value: 1 } }))[0]!, /must be a device at/);
  assert.match((await wrong({ call: { device: "oven", method: "stop" } }))[0]!, /must be a method of device "oven"/);
  const loop = await wrong({ series: { device: "oven", properties: { t: "clean" } } }, "SELECT clean AS t FROM oven");
  assert.match(loop[0]!, /spec\.actions: "r ─▶ r": must not read what the rule writes/);
  assert.match((await wrong({ http: { url: "http://u:p@h/" } }))[0]!, /"http:\/\/\*{8}@h\/".*user and password/);
  await create({
    sql: "SELECT temperature AS t FROM oven",
    actions: [
      { series: { device: "oven", properties: { t: "clean" } } },
      { write: { device: "oven", property: "target", value: "${t}" } },
    ],
  });
});

test("a source states what brings its rows, and its columns are known to the SQL", async (t) => {
  const { create } = await stage(t);
  const sql = "SELECT b FROM cells";
  assert.match(
    (await refused(create({ sql, sources: { cells: {} } })))[0]!,
    /^spec\.sources\.cells: none: must state one/,
  );
  const sources = { cells: { memory: {}, columns: "a bigint, c float" } };
  assert.match((await refused(create({ sql, sources })))[0]!, /there is no column "b"/);
  assert.match(
    (await refused(create({ sql, sources: { cells: { memory: {}, columns: "a int" } } })))[0]!,
    /^spec\.sources\.cells\.columns/,
  );
  await create({ sql: "SELECT a FROM cells", sources });
});

test("secrets of actions and sources are sealed, shown to nobody, and reach the gateway", async (t) => {
  const { bench, rules, create, assigned } = await stage(t);
  await create({
    sql: "SELECT temperature FROM oven",
    sources: { cells: { http: { url: "http://h", every: "1s", token: "hunter2-a" } } },
    actions: [
      { http: { url: "http://h", token: "hunter2-b", headers: { Authorization: "hunter2-c", "X-Line": "seen" } } },
      { redis: { url: "redis://h", key: "k", password: "hunter2-d" } },
    ],
  });
  const { spec } = await rules.get(system, ref("r"));
  assert.doesNotMatch(JSON.stringify(spec), /hunter2/);
  assert.deepEqual(spec.actions[0]!.http!.headers, { Authorization: hiddenSecret, "X-Line": "seen" });
  const stored = await bench.state.db.selectFrom("resources").select("spec").where("name", "=", "r").execute();
  assert.doesNotMatch(stored[0]!.spec, /hunter2/);
  // What was shown may be applied again: the marks stand for the secrets.
  await rules.update(system, ref("r"), {
    replace: { metadata: { name: "r" }, spec: { ...spec, sql: "SELECT temperature AS t FROM oven" } },
    ifMatch: "*",
  });
  const sent = JSON.stringify((await assigned()).rules);
  for (const secret of ["hunter2-a", "hunter2-b", "hunter2-c", "hunter2-d"]) assert.ok(sent.includes(secret), secret);
});

test("what gateways say of a rule is its status, and a generation that they do not have yet is waited for", async (t) => {
  const { bench, identity, node, rules, create, assigned } = await stage(t);
  await create({ sql: "SELECT temperature FROM oven" });
  const stateOf = async () => (await rules.get(system, ref("r"))).status.nodes;
  assert.deepEqual(
    (await stateOf()).map(({ node, state }) => [node, state]),
    [[node, "unknown"]],
  );
  const { uid } = (await assigned()).rules[0]!;
  const told = { reason: null, message: null, rowsIn: 7, rowsOut: 3, errors: 1, lastError: "x" };
  bench.services.control.nodeReport(identity, {
    ...{ agentVersion: "1", mappers: [], devices: [], cycles: [], lines: [], counters: {}, outbox },
    rules: [{ rule: uid, generation: 1, state: "running", ...told }],
  } satisfies NodeReport);
  assert.deepEqual(await stateOf(), [{ node, state: "running", generation: 1, ...told }]);
  await rules.update(system, ref("r"), { patch: { spec: { state: "stopped" } }, ifMatch: "*" });
  assert.deepEqual(
    (await stateOf()).map(({ state, generation }) => [state, generation]),
    [["waiting", 1]],
  );
});

// The gateway would refuse one of them later, where nobody looks: whoever saves the last of the circle is told at once.
test("rules that would feed one another at a gateway are refused with the path, at the save", async (t) => {
  const { bench, node, rules, nodes } = await stage(t);
  const make = (name: string, spec: Partial<RuleSpec>) =>
    rules.create(system, ref(name), {
      metadata: { name },
      spec: { nodes: [node], actions: [{ log: {} }], ...spec },
    } as never);
  const memory = (stream: string) => [{ memory: { stream } }];
  await make("b", { sql: "SELECT clean FROM oven", actions: memory("cleaned") });
  await make("c", { sql: "SELECT * FROM cleaned", sources: { cleaned: { memory: {} } }, actions: memory("twice") });
  const back = {
    sql: "SELECT clean + temperature AS clean FROM twice",
    sources: { twice: { memory: {} } },
    actions: [{ series: { device: "oven" } }],
  } satisfies Partial<RuleSpec>;
  assert.deepEqual(await refused(make("a", back)), [
    `spec.actions: "a ─▶ b ─▶ c ─▶ a": at gateway "${node}": must not read what the rule gives to others that feed it: each result would make the next`,
  ]);
  await nodes.create(system, ref("gw-elsewhere"), {
    metadata: { name: "gw-elsewhere", labels: { hall: "2" } },
    spec: {},
  });
  await make("a", { ...back, nodes: ["gw-elsewhere"], actions: memory("other") });
  await rules.update(system, ref("c"), { patch: { spec: { state: "stopped" } }, ifMatch: "*" });
  await rules.update(system, ref("a"), { patch: { spec: { nodes: [node], actions: back.actions } }, ifMatch: "*" });
  const start = rules.update(system, ref("c"), { patch: { spec: { state: "running" } }, ifMatch: "*" });
  assert.match((await refused(start))[0]!, /"c ─▶ a ─▶ b ─▶ c": at gateway/);
  const hears = { sources: { all: { mqtt: { topic: "plant/#" } } }, actions: [{ mqtt: { topic: "plant/${x}" } }] };
  assert.match((await refused(make("d", { ...hears, sql: "SELECT x FROM all" })))[0]!, /"d ─▶ d"/);
  await make("d", { ...hears, sql: "SELECT x FROM all WHERE meta(topic) LIKE 'plant/raw/%'" });
  assert.ok(bench);
});

test("every version of a rule can be read and brought back", async (t) => {
  const { bench, rules, create } = await stage(t);
  const { history } = bench.services;
  await create({ sql: "SELECT temperature FROM oven" });
  await rules.update(system, ref("r"), { patch: { spec: { sql: "SELECT target FROM oven" } }, ifMatch: "*" });
  const of = { kind: "Rule", ...ref("r") } as const;
  assert.equal((await history.versions(system, of, {})).items.length, 2);
  await history.restore(system, of, { version: 1, ifMatch: "*" });
  assert.equal((await rules.get(system, ref("r"))).spec.sql, "SELECT temperature FROM oven");
});
