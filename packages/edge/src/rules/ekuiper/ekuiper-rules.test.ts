import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import {
  batchFromSamples,
  defaultMqtt,
  type EffectiveRule,
  layoutOrder,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { connectAsync } from "mqtt";
import { openBypass } from "../../bypass/bypass.ts";
import { device, rule as made } from "../rules-fixture.ts";
import { openEkuiperRules } from "./ekuiper-rules.ts";
import { ekuiperTopics } from "./ekuiper-topics.ts";
import { healthThere } from "./health-there.ts";
import { localSite } from "./local-fixture.ts";

const login = { user: "ekuiper", password: "a long password" };
const rule = (name: string, sql: string, more: Partial<EffectiveRule> = {}) =>
  made(name, sql, { mode: "compat", ...more });
const tank = device("tank-01");

/** A gateway with a real broker, whose rules run at the eKuiper of `url`. */
async function gateway(t: TestContext, url: string) {
  const mqtt = {
    ...defaultMqtt,
    users: [
      {
        name: login.user,
        password: login.password,
        publish: ekuiperTopics.publish,
        subscribe: ekuiperTopics.subscribe,
      },
    ],
  };
  const site = {
    tenant: { uid: "1".repeat(32) as TenantUid, name: "acme" },
    node: { uid: "2".repeat(32) as NodeUid, name: "gw-01", timeZone: "UTC", mqtt },
    devices: [tank],
  };
  const ports = { clock: systemClock(), random: systemRandom, log: silentLog, metrics: metricsRegistry() };
  const bypass = await openBypass({ ...ports, port: 0, site });
  t.after(() => bypass.close());
  const broker = { url: `mqtt://127.0.0.1:${bypass.address.port}`, ...login };
  const out: [topic: string, content: unknown][] = [];
  const waiting: (() => void)[] = [];
  const twin = { setLocally: () => assert.fail(), callHere: () => assert.fail() };
  const rules = await openEkuiperRules({
    ...{ ...ports, url, node: "gw-01", files: realFiles(), folder: "/nowhere", broker: () => broker },
    site: {
      twin,
      readings: async () => {},
      async publish(message) {
        if (!message.topic.startsWith("$ke/"))
          out.push([message.topic, JSON.parse(Buffer.from(message.payload).toString())]);
        await bypass.publish(message);
        for (const wake of waiting.splice(0)) wake();
      },
    },
  });
  t.after(() => rules.close());
  const apply = (specs: readonly EffectiveRule[]) =>
    rules.apply({ tenant: "acme", timeZone: "UTC", devices: [tank], rules: specs });
  const statusOf = (uid: string) => rules.status().find((one) => one.rule === uid)!;
  return { rules, apply, statusOf, broker, out, published: () => new Promise<void>((done) => waiting.push(done)) };
}

/** Looks again and again, since it is another program that has to act. */
async function until(t: TestContext, isSo: () => boolean, status: () => unknown = () => null): Promise<void> {
  const late = AbortSignal.any([t.signal, AbortSignal.timeout(10_000)]);
  while (!isSo()) {
    if (late.aborted) assert.fail(JSON.stringify(status()));
    await new Promise((done) => setImmediate(done));
  }
}
const seen = (site: Awaited<ReturnType<typeof localSite>>) => [
  Object.keys(site.catalogue.current().rules),
  Object.keys(site.catalogue.current().streams),
];

test("rules are made there, gone there, refused in its words, and what is somebody else's stays", async (t) => {
  const there = await localSite();
  t.after(() => there.close());
  await there.ask("POST", "/streams", { sql: 'CREATE STREAM foreign () WITH (DATASOURCE="x")' });
  await there.ask("POST", "/rules", { id: "mine", sql: "SELECT * FROM foreign", actions: [{ log: {} }] });
  const { apply, statusOf } = await gateway(t, there.server.address);
  const high = rule("high", "SELECT level FROM `tank-01` WHERE level > 1");
  // Read here, refused there: a gateway knows its own SQL, the eKuiper has the last word.
  apply([
    high,
    rule("bad", "SELECT nosuch(level) FROM `tank-01`"),
    rule("strict", "SELECT level FROM `tank-01` WHERE level IS NULL", { mode: "strict" }),
  ]);
  await until(t, () => statusOf("high").state === "running" && statusOf("bad").reason !== "rules/ekuiper-unreachable");
  assert.deepEqual(seen(there), [
    ["mine", "penstock_gw-01_high"],
    ["foreign", "penstock_gw-01_tank-01"],
  ]);
  const bad = statusOf("bad");
  assert.deepEqual([bad.state, bad.reason], ["refused", "rules/ekuiper-refused"]);
  assert.match(bad.message!, /nosuch/);
  assert.deepEqual([statusOf("strict").state, statusOf("strict").reason], ["refused", "rules/bad-sql"]);
  apply([{ ...high, isStopped: true }]);
  await until(t, () => statusOf("high").state === "stopped");
  apply([]);
  await until(t, () => seen(there)[1]!.length === 1);
  assert.deepEqual(seen(there), [["mine"], ["foreign"]]);
});

test("rows of devices go to the broker, and results from there do the rule's own actions", async (t) => {
  const there = await localSite();
  t.after(() => there.close());
  const { apply, statusOf, rules, broker, out, published } = await gateway(t, there.server.address);
  const client = await connectAsync(broker.url, { username: login.user, password: login.password });
  t.after(() => client.endAsync(true));
  const rows: unknown[] = [];
  client.on("message", (topic, payload) => rows.push([topic, JSON.parse(payload.toString())]));
  await client.subscribeAsync("$ke/ekuiper/rows/+");
  apply([rule("high", "SELECT level FROM `tank-01`", { actions: [{ mqtt: { topic: "out", send: "list" } }] })]);
  await until(
    t,
    () => statusOf("high").state === "running",
    () => [statusOf("high")],
  );
  const layout = {
    id: 1,
    device: tank.uid,
    properties: layoutOrder([
      { name: "level", type: "float64" },
      { name: "count", type: "int16" },
    ] as const),
  };
  const time = systemClock().now();
  const good = { time, quality: "good", reason: null } as const;
  await rules.consumer.take(
    batchFromSamples({
      layout,
      samples: [
        { property: "level", value: 1.5, ...good },
        { property: "count", value: 3, ...good },
      ],
    }).batch,
  );
  await until(t, () => rows.length > 0);
  assert.deepEqual(rows, [["$ke/ekuiper/rows/tank-01", { level: 1.5, count: 3 }]]);
  const done = published();
  await client.publishAsync("$ke/ekuiper/results/high", '[{"level":1.5},{"level":2}]', { qos: 1 });
  await done;
  assert.deepEqual(out, [["out", [{ level: 1.5 }, { level: 2 }]]]);
  assert.equal(statusOf("high").rowsOut, 2);
});

test("while it is away rules say so, and are made when it comes; one that is there goes on as it is", async (t) => {
  const asked: string[] = [];
  let [isAway, there] = [true, {} as Record<string, unknown>];
  // A stand-in that says what eKuiper's documentation says, and notes what it is asked.
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const [, kind, name] = request.url!.split("/").map(decodeURIComponent);
    if (isAway) response.writeHead(503).end();
    else if (request.method === "GET" && request.url === "/rules/status/all")
      response.writeHead(404).end('{"error":1002,"message":"no"}');
    else if (request.method === "GET" && request.url!.endsWith("/status"))
      response.end(
        '{"status":"running","source_demo_0_records_in_total":7,"op_filter_0_exceptions_total":2,"op_filter_0_last_exception":"run filter error"}',
      );
    else if (request.method === "GET" && name !== undefined) response.end(JSON.stringify(there[name]));
    else if (request.method === "GET")
      response.end(JSON.stringify(kind === "rules" ? Object.keys(there).map((id) => ({ id, status: "running" })) : []));
    else {
      asked.push(`${request.method} ${request.url}`);
      if (kind === "rules") there = { ...there, [name!]: JSON.parse(Buffer.concat(parts).toString()) };
      response.end();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const first = await gateway(t, url);
  const high = rule("high", "SELECT level FROM `tank-01`");
  first.apply([high]);
  await until(t, () => /answers 503/.test(first.statusOf("high").message ?? ""));
  assert.deepEqual(
    [first.statusOf("high").state, first.statusOf("high").reason],
    ["failed", "rules/ekuiper-unreachable"],
  );
  isAway = false;
  await until(t, () => first.statusOf("high").state === "running");
  assert.deepEqual(asked, ["POST /streams", "PUT /rules/penstock_gw-01_high"]);
  const { rowsIn, errors, lastError } = first.statusOf("high");
  assert.deepEqual([rowsIn, errors, lastError], [7, 2, "run filter error"]);
});

test("healthThere() reads what eKuiper 1 and 2 tell", () => {
  const state = (status: unknown) => healthThere(status).state;
  assert.equal(state({ status: "running" }), "running");
  assert.equal(state({ status: "stopped", message: "canceled manually" }), "stopped");
  assert.equal(state({ status: "stopped", message: "Stopped: canceled by error." }), "failed");
  assert.equal(state({ status: "stopped by error", message: "x" }), "failed");
  assert.equal(state("nonsense"), "failed");
});
