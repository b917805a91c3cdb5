// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { plantDevices } from "@penstock/testkit";
import { connectAsync } from "mqtt";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

let cloud: CloudProcess;
let edge: EdgeProcess;
const messages: { readonly topic: string; readonly payload: string; readonly at: number }[] = [];
let mqtt: Awaited<ReturnType<typeof connectAsync>>;
after(() => mqtt?.endAsync(true));

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Record<string, unknown>;
}
const rule = (name: string, spec: object) => ({
  ...{ apiVersion: "penstock.dev/v1", kind: "Rule", metadata: { name } },
  spec: { nodes: ["gw-01"], ...spec },
});
const apply = (...documents: readonly object[]) =>
  bench.run(["apply", "-f", "-"], { input: documents.map((one) => JSON.stringify(one)).join("\n---\n") });
async function applied(...documents: readonly object[]) {
  const { code, stderr, stdout } = await apply(...documents);
  assert.equal(code, 0, stderr + stdout);
}
const nodesOf = async (name: string) =>
  (await cloud.client.rules.get({ params: { tenant: "default", name } })).status.nodes;

before(async () => {
  const plant = await bench.startPlant();
  cloud = await bench.startCloud();
  edge = await bench.startEdge(cloud, "gw-01");
  mqtt = await connectAsync(edge.mqttAddress);
  mqtt.on("message", (topic, payload) => messages.push({ topic, payload: payload.toString(), at: Date.now() }));
  await mqtt.subscribeAsync("clean/#");
  const documents = plantDevices({ host: plant.host, port: plant.port, node: "gw-01" }) as unknown as Document[];
  const tank = documents.find((one) => one.metadata.name === "tank-01")!;
  const { setpoint } = tank.spec.properties as { setpoint: object };
  const properties = {
    ...(tank.spec.properties as object),
    mean: { type: "float64", unit: "m", calculated: true },
    setpoint: { ...setpoint, localWrites: "yield" },
  };
  await applied(...documents.filter((one) => one !== tank), { ...tank, spec: { ...tank.spec, properties } });
});

test("a rule cleans readings at the gateway: series in the cloud, a message at the edge, a value at the device", async () => {
  await applied(
    rule("clean", {
      sql: "SELECT avg(level) AS mean, count(*) AS n FROM `tank-01` WHERE level IS NOT NULL GROUP BY TUMBLINGWINDOW(ss, 1)",
      actions: [
        { series: { device: "tank-01", properties: { mean: "mean" } } },
        { mqtt: { topic: "clean/tank-01", template: '{"mean": ${mean}, "n": ${n}}' } },
        { write: { device: "tank-01", property: "setpoint", value: 42.5 } },
      ],
    }),
  );
  const { payload } = await eventually("a message", () => messages.find((one) => one.topic === "clean/tank-01"));
  const { mean, n } = JSON.parse(payload) as { mean: number; n: number };
  assert.ok(Number.isFinite(mean) && n >= 1, payload);
  const points = await eventually("cleaned readings in the cloud", async () => {
    const found = await bench.json<{ points: { value: number; quality: string }[] }>(["query", "tank-01", "mean"]);
    return found.points.length >= 2 && found.points;
  });
  assert.ok(points.every((one) => typeof one.value === "number" && one.quality === "good"));
  assert.ok(
    points.some((one) => one.value === mean),
    "the same in the cloud as at the edge",
  );
  await eventually("the value at the device", async () => {
    const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "tank-01" } });
    return properties.find((one) => one.property === "setpoint")?.reported?.value === 42.5;
  });
  const [status] = await eventually("the rule's status", async () => {
    const nodes = await nodesOf("clean");
    return nodes[0]?.state === "running" && nodes[0].rowsOut > 0 && nodes;
  });
  assert.deepEqual([status!.node, status!.generation, status!.errors, status!.reason], ["gw-01", 1, 0, null]);
  const listed = await bench.run(["get", "rules"]);
  assert.match(listed.stdout, /^clean +gw-01 +running +\d+ +\d+ +0 +-$/m);
});

test("an error in the SQL is refused with its place, and the rule runs on as it was", async () => {
  const { code, stderr } = await apply(
    rule("clean", {
      sql: "SELECT avg(levle) AS mean\nFROM `tank-01` GROUP BY TUMBLINGWINDOW(ss, 1)",
      actions: [{ log: {} }],
    }),
  );
  assert.notEqual(code, 0);
  assert.match(stderr, /spec\.sql.*"levle".*line 1, column 12.*gateway "gw-01".*there is no column "levle"/s);
  const since = Date.now();
  await eventually("another message", () => messages.some((one) => one.at > since));
  assert.equal((await nodesOf("clean"))[0]!.generation, 1);
});

test("rules that would feed one another are refused when the last of the circle is saved, with the path", async () => {
  const gives = (stream: string) => [{ memory: { stream } }];
  await applied(rule("first", { sql: "SELECT level FROM `tank-01`", actions: gives("levels") }));
  const reads = (stream: string) => ({ sources: { [stream]: { memory: {} } }, sql: `SELECT * FROM ${stream}` });
  await applied(rule("second", { ...reads("levels"), actions: gives("again") }));
  const { code, stderr } = await apply(rule("first", { ...reads("again"), actions: gives("levels") }));
  assert.notEqual(code, 0);
  assert.match(stderr, /first ─▶ second ─▶ first.*at gateway "gw-01"/);
  for (const name of ["first", "second"]) assert.equal((await bench.run(["delete", "rule", name])).code, 0);
});

test("a rule is tried on stored readings before it is stored, and why tells of each gateway", async () => {
  const document = rule("tried", {
    sql: "SELECT level FROM `tank-01` WHERE level IS NOT NULL",
    actions: [{ log: {} }],
  });
  const tried = await bench.run(["rule", "test", "-f", "-", "--steps", "--from", "-1m"], {
    input: JSON.stringify(document),
  });
  assert.equal(tried.code, 0, tried.stderr);
  assert.match(tried.stdout, /tank-01 +\{"level":[\d.]+\} +yes +\{"level":[\d.]+\}/);
  assert.match(tried.stdout, /^\d+ rows? in, \d+ results?, as at gateway "gw-01"$/m);
  const why = await bench.run(["why", "rule", "clean"]);
  assert.match(why.stdout, /^gw-01 +not-silent +it is not silent: \d+ results? of \d+ rows$/m);
});

test("a rule that does not fit at one of its gateways is refused there with its reason, and runs at the other", async () => {
  await bench.startEdge(cloud, "gw-02");
  await applied(
    rule("both", {
      nodes: ["gw-01", "gw-02"],
      sql: "SELECT level FROM `tank-01` WHERE level IS NOT NULL",
      actions: [{ log: {} }],
    }),
  );
  const nodes = await eventually("both to tell", async () => {
    const found = await nodesOf("both");
    return found.every((one) => one.state !== "unknown" && one.state !== "waiting") && found;
  });
  const at = new Map(nodes.map((one) => [one.node, one]));
  assert.equal(at.get("gw-01")!.state, "running");
  assert.deepEqual([at.get("gw-02")!.state, at.get("gw-02")!.reason], ["refused", "rules/no-device"]);
  assert.match(at.get("gw-02")!.message!, /there is no stream "tank-01"/);
  const described = await bench.run(["get", "rules", "-o", "yaml"]);
  assert.match(described.stdout, /state: refused/);
  if (process.env.SHOW_RULES !== undefined) console.error(described.stdout);
});

test("a change of actions, and stopping, reach the gateway; a deleted rule is gone there", async () => {
  await applied(rule("both", { state: "stopped", sql: "SELECT level FROM `tank-01`", actions: [{ log: {} }] }));
  await eventually("it to stop", async () => (await nodesOf("both"))[0]!.state === "stopped");
  const gone = await bench.run(["delete", "rule", "both"]);
  assert.equal(gone.code, 0, gone.stderr);
  assert.doesNotMatch((await bench.run(["get", "rules"])).stdout, /both/);
});

test("rules run on while the cloud is away, also after a restart of the gateway", async () => {
  const port = new URL(cloud.address).port;
  const localPort = new URL(cloud.localAddress).port;
  await cloud.process.kill();
  const since = Date.now();
  await eventually("a message without the cloud", () => messages.some((one) => one.at > since + 1500));
  await edge.process.kill();
  const alone = await bench.startAgent("gw-01");
  const again = await connectAsync(alone.mqttAddress);
  try {
    let heard = 0;
    again.on("message", () => heard++);
    await again.subscribeAsync("clean/tank-01");
    await eventually("a message of the restarted gateway", () => heard > 0);
    await bench.startCloudAgain(cloud, { port, localPort });
    const back = new Date().toISOString();
    await eventually("cleaned readings after the cloud is back", async () => {
      const { points } = await cloud.client.series.query({
        params: { tenant: "default", device: "tank-01", property: "mean" },
        query: { from: back, to: "now" },
      });
      return points.length > 0;
    });
  } finally {
    await again.endAsync(true);
  }
});
