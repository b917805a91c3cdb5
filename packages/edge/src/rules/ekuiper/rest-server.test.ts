import assert from "node:assert/strict";
import { request } from "node:http";
import { type TestContext, test } from "node:test";
import { secretBox, systemRandom } from "@penstock/runtime";
import { rule as assignedRule } from "../rules-fixture.ts";
import { key, localSite } from "./local-fixture.ts";

type Options = Parameters<typeof localSite>[0];
async function start(t: TestContext, options: Options = {}) {
  const site = await localSite(options);
  t.after(() => site.close());
  return site;
}
const demo = { sql: 'CREATE STREAM demo (a bigint) WITH (DATASOURCE="x/#", FORMAT="json")' };
const hot = {
  ...{ id: "hot", sql: "SELECT level FROM `tank-01` WHERE level > 1" },
  actions: [{ mqtt: { server: "tcp://127.0.0.1:1883", topic: "hot", sendSingle: true } }],
};
const tell = (said: unknown) => said as { readonly error: number; readonly message: string };

test("a stream and a rule are made, run, are stopped and dropped, in eKuiper's words", async (t) => {
  const { ask, come, out } = await start(t);
  assert.deepEqual(await ask("POST", "/streams", demo), { status: 201, said: "Stream demo is created." });
  // Every device is a stream that nobody has to make.
  assert.deepEqual((await ask("GET", "/streams")).said, ["demo", "tank-01"]);
  assert.deepEqual((await ask("GET", "/streamdetails")).said, [
    { name: "demo", type: "mqtt", format: "json" },
    { name: "tank-01", type: "device", format: "json" },
  ]);
  assert.deepEqual((await ask("GET", "/streams/demo")).said, {
    ...{ Name: "demo", StreamType: 0, StreamFields: [{ Name: "a", FieldType: "bigint" }] },
    Options: { DATASOURCE: "x/#", FORMAT: "json" },
  });
  assert.deepEqual((await ask("GET", "/streams/demo/schema")).said, { a: { type: "bigint" } });

  assert.deepEqual(await ask("POST", "/rules", hot), { status: 201, said: "Rule hot was created successfully." });
  await come({ level: 0.5, count: 1 });
  await come({ level: 2.5, count: 1 });
  assert.deepEqual(out, [["hot", { level: 2.5 }]]);
  assert.deepEqual((await ask("GET", "/rules")).said, [{ id: "hot", name: "hot", status: "running", tags: [] }]);
  assert.deepEqual((await ask("GET", "/rules/hot")).said, hot);
  const { said } = await ask("GET", "/rules/hot/status");
  const status = said as Record<string, unknown>;
  assert.equal(status.status, "running");
  assert.equal(status["source_tank-01_0_records_in_total"], 2);
  assert.equal(status.op_2_project_0_records_out_total, 1);
  assert.equal(status.sink_mqtt_0_0_records_in_total, 1);
  assert.deepEqual((await ask("GET", "/v2/rules/hot/status")).said, status);
  assert.deepEqual((await ask("GET", "/rules/status/all")).said, { hot: status });
  assert.deepEqual((await ask("GET", "/rules/hot/topo")).said, {
    sources: ["source_tank-01"],
    edges: { "source_tank-01": ["op_2_project"], op_2_project: ["sink_mqtt_0"] },
  });
  assert.match(String((await ask("GET", "/rules/hot/explain")).said), /StreamName: tank-01, .*Fields:\[ level \]/);

  assert.deepEqual(await ask("POST", "/rules/hot/stop"), { status: 200, said: "Rule hot was stopped." });
  await come({ level: 3.5, count: 1 });
  assert.equal(out.length, 1);
  assert.deepEqual((await ask("GET", "/rules/hot/status")).said, { status: "stopped", message: "canceled manually" });
  assert.equal((await ask("POST", "/rules/hot/start")).said, "Rule hot was started");
  await come({ level: 4.5, count: 1 });
  assert.equal(out.length, 2);
  assert.equal((await ask("DELETE", "/rules/hot")).said, "Rule hot is dropped.");
  assert.deepEqual((await ask("GET", "/rules")).said, []);
  assert.equal((await ask("DELETE", "/streams/demo")).said, "Stream demo is dropped.");
});

test("what is wrong is said in eKuiper's shape, and nothing has changed", async (t) => {
  const { ask, catalogue } = await start(t);
  await ask("POST", "/streams", demo);
  await ask("POST", "/rules", hot);
  const before = JSON.stringify(catalogue.current());
  const cases: readonly [method: string, path: string, body: unknown, status: number, code: number, said: RegExp][] = [
    ["POST", "/rules", { ...hot, id: "b", sql: "SELECT levle( FROM `tank-01`" }, 400, 2001, /Cannot read the query/],
    ["POST", "/rules", { ...hot, id: "b", sql: "SELECT a FROM nobody" }, 400, 2001, /there is no stream "nobody"/],
    ["POST", "/rules", hot, 400, 1000, /Rule hot already exists/],
    ["POST", "/rules", { ...hot, id: "b", actions: [{ kafka: {} }] }, 400, 1000, /actions\[0\].kafka .*no such sink/],
    ["POST", "/rules", { ...hot, id: "../b" }, 400, 1000, /id is/],
    ["POST", "/rules", "{", 400, 1000, /not JSON/],
    ["PUT", "/rules/hot", { ...hot, sql: "SELEC" }, 400, 2001, /Cannot read the query/],
    ["GET", "/rules/none", undefined, 404, 1002, /Rule none is not found/],
    ["POST", "/rules/none/start", undefined, 404, 1002, /Rule none is not found/],
    ["DELETE", "/streams/none", undefined, 404, 1002, /Stream none is not found/],
    ["POST", "/streams", demo, 400, 1000, /Stream demo already exists/],
    [
      "POST",
      "/streams",
      { sql: 'CREATE STREAM `tank-01` () WITH (DATASOURCE="x")' },
      400,
      1000,
      /A device of this gateway/,
    ],
    ["POST", "/streams", { sql: "SHOW STREAMS" }, 400, 2001, /must begin with CREATE/],
    ["POST", "/tables", demo, 400, 1000, /makes a stream/],
    ["GET", "/plugins/sources", undefined, 404, 1002, /GET \/plugins\/sources is not offered/],
    ["POST", "/stop", undefined, 404, 1002, /is not offered/],
    ["POST", "/data/import", { file: "file:///etc/passwd" }, 400, 1000, /reads no files/],
  ];
  for (const [method, path, body, status, code, said] of cases) {
    const answer = await ask(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.said)}`);
    assert.equal(tell(answer.said).error, code, `${method} ${path}`);
    assert.match(tell(answer.said).message, said);
  }
  assert.equal(JSON.stringify(catalogue.current()), before);
});

test("PUT makes a rule or replaces it, and the old one runs on where the new one cannot", async (t) => {
  const { ask, come, out } = await start(t);
  assert.equal((await ask("PUT", "/rules/hot", hot)).said, "Rule hot was updated successfully.");
  await ask("PUT", "/rules/hot", { ...hot, sql: "SELECT nothing( FROM `tank-01`" });
  await come({ level: 2, count: 1 });
  assert.deepEqual(out, [["hot", { level: 2 }]]);
  const { said } = await ask("POST", "/rules/validate", { ...hot, sql: "SELECT nothing( FROM `tank-01`" });
  assert.match(String(said), /invalid rule json: Cannot read the query/);
  assert.deepEqual(await ask("POST", "/rules/validate", hot), {
    status: 200,
    said: { valid: true, sources: ["tank-01"] },
  });
});

// A tool that looks for a field finds it or does not; a null would be a value to it.
test("a column without a value is left out of a result, as eKuiper leaves it out", async (t) => {
  const { ask, come, out } = await start(t);
  await ask("POST", "/rules", { ...hot, sql: "SELECT level, count FROM `tank-01`" });
  await come({ level: 2 });
  assert.deepEqual(out, [["hot", { level: 2 }]]);
});

test("a stream that rules read is not dropped under them, nor replaced by one that they cannot read", async (t) => {
  const { ask } = await start(t);
  await ask("POST", "/streams", demo);
  await ask("POST", "/rules", { id: "r", sql: "SELECT a FROM demo", actions: [{ log: {} }] });
  assert.match(tell((await ask("DELETE", "/streams/demo")).said).message, /Rules read "demo": r/);
  const other = { sql: 'CREATE STREAM demo (b bigint) WITH (DATASOURCE="x", TYPE="neuron")' };
  assert.match(
    tell((await ask("PUT", "/streams/demo", other)).said).message,
    /TYPE is "neuron": there is no such source/,
  );
  assert.equal((await ask("DELETE", "/streams/demo?force=true")).status, 200);
});

test("rules of the cloud are seen and never changed; a name that it takes later it has", async (t) => {
  const { ask, assign, come, out } = await start(t);
  assign([assignedRule("cloud", "SELECT level FROM `tank-01`")]);
  const refused = await ask("PUT", "/rules/cloud", { ...hot, id: "cloud" });
  assert.deepEqual(
    [refused.status, tell(refused.said).message],
    [403, "Rule cloud is assigned to this gateway by its cloud: it is changed there"],
  );
  for (const [method, path] of [
    ["DELETE", "/rules/cloud"],
    ["POST", "/rules/cloud/stop"],
  ] as const)
    assert.equal((await ask(method, path)).status, 403);
  assert.deepEqual((await ask("GET", "/rules")).said, [
    { id: "cloud", name: "cloud", status: "running", tags: ["assigned"] },
  ]);
  await ask("POST", "/rules", hot);
  assign([assignedRule("hot", "SELECT count FROM `tank-01`")]);
  await come({ level: 2, count: 7 });
  assert.deepEqual(out, [["hot", { count: 7 }]]);
});

test("what was made is there after a restart, sealed, also when the key has changed", async (t) => {
  const first = await start(t);
  const withPassword = {
    ...hot,
    actions: [{ mqtt: { server: "tcp://other:1883", topic: "t", password: "hush-hush" } }],
  };
  await first.ask("POST", "/streams", demo);
  await first.ask("POST", "/rules", withPassword);
  assert.deepEqual((await first.ask("GET", "/rules/hot")).said, {
    ...withPassword,
    actions: [{ mqtt: { ...withPassword.actions[0]!.mqtt, password: "********" } }],
  });
  // The mark means what is kept.
  await first.ask("PUT", "/rules/hot", (await first.ask("GET", "/rules/hot")).said);
  const { disk } = first;
  disk.crash();
  const bytes = Buffer.from(await disk.files.readAll("/data/ekuiper/catalogue")).toString("latin1");
  assert.ok(!bytes.includes("hush"), "not in the clear");
  const newer = secretBox([new Uint8Array(32).fill(9), key], systemRandom);
  const second = await start(t, { disk, secrets: newer });
  assert.deepEqual((await second.ask("GET", "/streams")).said, ["demo", "tank-01"]);
  assert.equal(second.engine.written("hot")?.actions !== undefined, true);
  assert.ok(JSON.stringify(second.engine.written("hot")).includes("hush-hush"));
  const onlyNewer = secretBox([new Uint8Array(32).fill(9)], systemRandom);
  assert.equal((await start(t, { disk, secrets: onlyNewer })).engine.written("hot")?.id, "hot");
});

test("an export goes in elsewhere; what cannot is told by its name", async (t) => {
  const first = await start(t);
  await first.ask("POST", "/streams", demo);
  await first.ask("POST", "/rules", hot);
  await first.ask("POST", "/rules", { id: "d", sql: "SELECT a FROM demo", actions: [{ log: {} }] });
  const content = String((await first.ask("POST", "/ruleset/export")).said);
  const second = await start(t);
  assert.deepEqual(await second.ask("POST", "/ruleset/import", { content }), {
    ...{ status: 200, said: "imported 1 streams, 0 tables and 2 rules" },
  });
  assert.deepEqual((await second.ask("POST", "/ruleset/export")).said, content);
  // A sample of an export of eKuiper 1.14, as its documentation shows one.
  const foreign = {
    streams: {
      users: '\n CREATE STREAM users\n () WITH (DATASOURCE="users", FORMAT="JSON", TYPE="mqtt", KIND="scan", );\n ',
    },
    tables: {},
    rules: {
      rule1: '{"id": "rule1","sql": "SELECT * FROM users","actions": [{"log": {}}]}',
      rule2: '{"id": "rule2","sql": "SELECT * FROM users","actions": [{"image": {}}]}',
    },
    nativePlugins: { functions_image: "{}" },
  };
  const answer = await second.ask("POST", "/data/import", { content: JSON.stringify(foreign) });
  assert.equal(answer.status, 400);
  const { said } = await second.ask("GET", "/data/import/status");
  const failed = said as { rules: Record<string, string>; nativePlugins: string };
  assert.match(failed.rules.rule2!, /actions\[0\].image .*no such sink/);
  assert.match(failed.nativePlugins, /no such thing/);
  assert.deepEqual(
    ((await second.ask("GET", "/rules")).said as { id: string }[]).map(({ id }) => id),
    ["rule1"],
  );
  const part = JSON.parse(String((await first.ask("POST", "/data/export", ["d"])).said)) as Record<string, object>;
  assert.deepEqual([Object.keys(part.streams!), Object.keys(part.rules!)], [["demo"], ["d"]]);
});

test("tags, functions, metrics and what eKuiper says of itself", async (t) => {
  const { ask } = await start(t);
  await ask("POST", "/rules", hot);
  await ask("PUT", "/rules/hot/tags", { tags: ["a", "b"] });
  await ask("DELETE", "/rules/hot/tags", { tags: ["a"] });
  assert.deepEqual((await ask("GET", "/rules/tags/match?tags=b")).said, ["hot"]);
  assert.deepEqual((await ask("GET", "/rules/tags/match?tags=a,b")).said, []);
  const functions = (await ask("GET", "/metadata/functions")).said as { name: string; aggregate: boolean }[];
  assert.ok(functions.some(({ name, aggregate }) => name === "avg" && aggregate));
  assert.ok(functions.length > 150);
  assert.equal(((await ask("GET", "/")).said as { version: string }).version, "penstock-1.2.3");
  assert.equal((await ask("GET", "/ping")).status, 200);
  assert.match(
    String((await ask("GET", "/metrics/dump")).said),
    /penstock_rules_ekuiper_requests_total\{status="200"\}/,
  );
});

test("a trial runs on typed-in rows and tells its results as they come", async (t) => {
  const { ask, server, clock } = await start(t);
  const trial = {
    ...{ id: "try", sql: "SELECT count(*) AS n, sum(a) AS s FROM demo GROUP BY COUNTWINDOW(2)" },
    mockSource: { demo: { data: [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }], interval: 10, loop: false } },
  };
  const made = await ask("POST", "/ruletest", trial);
  assert.deepEqual(made.said, { id: "try", port: Number(new URL(server.address).port) });
  const stream = await fetch(`${server.address}/test/try`);
  const reader = stream.body!.getReader();
  assert.equal((await ask("POST", "/ruletest/try/start")).said, "Test rule try was started");
  await clock.advanceAsync(100);
  let text = "";
  while (!text.includes('"s":7')) text += Buffer.from((await reader.read()).value!).toString();
  assert.equal(text, 'data: [{"n":2,"s":3}]\n\ndata: [{"n":2,"s":7}]\n\n');
  await ask("DELETE", "/ruletest/try");
  assert.equal((await reader.read()).done, true);
  const { said } = await ask("POST", "/ruletest", { ...trial, mockSource: {} });
  assert.match(tell(said).message, /mockSource has none for demo/);
});

// A page in a browser must not be able to make rules at the machine that shows it.
test("who comes by another name or from a page of elsewhere is refused", async (t) => {
  const { ask, server } = await start(t);
  assert.equal((await ask("GET", "/rules", undefined, { origin: "https://evil.example" })).status, 403);
  assert.equal((await ask("GET", "/rules", undefined, { origin: "http://localhost:9082" })).status, 200);
  const status = await new Promise((resolve) => {
    const { port } = new URL(server.address);
    request({ port, host: "127.0.0.1", path: "/rules", headers: { host: `evil.example:${port}` } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).end();
  });
  assert.equal(status, 403);
});
