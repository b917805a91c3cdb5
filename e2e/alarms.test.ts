// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { plantDevices } from "@penstock/testkit";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

let cloud: CloudProcess;
let edge: EdgeProcess;
const tenant = "default";
const every = { collect: { every: "100ms" } };

interface Document {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly properties: Record<string, object> };
}
async function applied(...documents: readonly object[]) {
  const input = documents.map((one) => JSON.stringify(one)).join("\n---\n");
  const { code, stderr, stdout } = await bench.run(["apply", "-f", "-"], { input });
  assert.equal(code, 0, stderr + stdout);
}
const rule = (name: string, sql: string, alarm: object) => ({
  ...{ apiVersion: "penstock.dev/v1", kind: "Rule", metadata: { name } },
  spec: { nodes: ["gw-01"], sql, actions: [{ alarm: { name, ...alarm } }] },
});
async function set(device: string, property: string, value: unknown) {
  await cloud.client.twins.setDesired({
    params: { tenant, device, property },
    query: { wait: "10s" },
    body: { value },
  });
}
async function value(device: string, property: string) {
  const { properties } = await cloud.client.twins.get({ params: { tenant, device } });
  return properties.find((one) => one.property === property)?.reported?.value;
}
const alarmsOf = async (name: string) =>
  (await cloud.client.alarms.list({ params: { tenant }, query: { rule: name } })).items;
const alarmIn = (name: string, state: string) =>
  eventually(`alarm ${name} to be ${state}`, async () => (await alarmsOf(name)).find((one) => one.state === state));
const historyOf = async (id: string) =>
  (await cloud.client.alarms.history({ params: { tenant, id }, query: {} })).items;

before(async () => {
  const plant = await bench.startPlant();
  cloud = await bench.startCloud();
  edge = await bench.startEdge(cloud, "gw-01");
  const documents = plantDevices({ host: plant.host, port: plant.port, node: "gw-01" }) as unknown as Document[];
  const conveyor = documents.find((one) => one.metadata.name === "conveyor-01")!;
  const { speed, enabled } = conveyor.spec.properties;
  const properties = {
    ...{ speed: { ...speed, ...every, localWrites: "yield" } },
    enabled: { ...enabled, ...every, localWrites: "yield" },
  };
  const number = { type: "float64", access: "readWrite", ...every };
  const oven = {
    ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: "oven" } },
    spec: { node: "gw-01", connection: { protocol: "virtual" }, properties: { temperature: number, limit: number } },
  };
  const connections = documents.filter((one) => (one as unknown as { kind: string }).kind === "Connection");
  await applied(...connections, { ...conveyor, spec: { ...conveyor.spec, properties } }, oven);
  await Promise.all([
    set("conveyor-01", "enabled", true),
    set("conveyor-01", "speed", 10),
    set("oven", "temperature", 70),
    set("oven", "limit", 80),
  ]);
  await applied(
    rule("fast", "SELECT speed, enabled FROM `conveyor-01`", {
      ...{ device: "conveyor-01", severity: "critical", message: "The conveyor runs at ${speed}" },
      when: { value: "speed", above: 50, hysteresis: 10 },
      onRaise: [{ write: { device: "conveyor-01", property: "enabled", value: false } }],
    }),
    rule("hot", "SELECT temperature, `limit` FROM oven", {
      ...{ device: "oven", message: "${temperature} beyond ${limit}", acknowledge: "none" },
      when: { value: "temperature", above: { column: "limit" } },
    }),
    rule("flood", "SELECT newuuid() AS id FROM oven", {
      ...{ key: "${id}", message: "unit ${id}", clearAfter: "10m", flood: { more: 3, within: "1m" } },
    }),
  );
  await eventually("the rules to run", async () => {
    const { items } = await cloud.client.rules.list({ params: { tenant }, query: {} });
    return items.every(({ status }) => status.nodes[0]?.state === "running" && status.nodes[0].rowsIn > 0);
  });
});

test("a threshold that is crossed stops the machine at the edge, and stands in the cloud until somebody has seen it", async () => {
  const began = Date.now();
  await set("conveyor-01", "speed", 60);
  const raised = await alarmIn("fast", "unacknowledged");
  assert.deepEqual(
    [raised.device, raised.severity, raised.message, raised.node, raised.count],
    ["conveyor-01", "critical", "The conveyor runs at 60", "gw-01", 1],
  );
  await eventually("the machine to be stopped", async () => (await value("conveyor-01", "enabled")) === false);
  // 100 ms from the reading that says so to the write, and at most one cycle until it is read back.
  const first = async (property: string, wanted: unknown) => {
    const params = { tenant, device: "conveyor-01", property };
    const { points } = await cloud.client.series.query({ params, query: { from: "-1m", to: "now" } });
    return points.find((one) => one.value === wanted && Date.parse(one.time) >= began)?.time;
  };
  const [fastAt, stoppedAt] = [(await first("speed", 60))!, (await first("enabled", false))!];
  const tookMs = Date.parse(stoppedAt) - Date.parse(fastAt);
  assert.ok(tookMs <= 100 + 2 * 100, `stopped ${tookMs} ms after the reading`);
  const listed = await bench.run(["get", "alarms"]);
  assert.match(listed.stdout, /unacknowledged +critical +fast\/fast +conveyor-01 .*The conveyor runs at 60/);

  const seen = await bench.run(["alarm", "ack", raised.id, "--comment", "going to look"]);
  assert.match(seen.stdout, /acknowledge done/, seen.stderr);
  assert.equal((await alarmIn("fast", "acknowledged")).acknowledgedBy, "admin");
  await set("conveyor-01", "speed", 45);
  assert.equal((await alarmsOf("fast"))[0]!.state, "acknowledged", "it has to come back by the hysteresis");
  await set("conveyor-01", "speed", 30);
  await alarmIn("fast", "normal");
  const history = await bench.run(["alarm", "history", raised.id]);
  assert.match(
    history.stdout,
    /raised +unacknowledged .*\n.*acknowledged +acknowledged +critical +admin +going to look/,
  );
  assert.match(history.stdout, /cleared +normal/);
});

test("the operator changes the threshold in the cloud, and the rule goes on as it is", async () => {
  assert.deepEqual(await alarmsOf("hot"), []);
  await set("oven", "limit", 60);
  const raised = await alarmIn("hot", "unacknowledged");
  assert.equal(raised.message, "70 beyond 60");
  const shelved = await bench.run([
    "alarm",
    "shelve",
    raised.id,
    "--for",
    "1h",
    "--comment",
    "sensor is being changed",
  ]);
  assert.match(shelved.stdout, /shelve done/, shelved.stderr);
  await eventually("it to be shelved", async () => (await alarmsOf("hot"))[0]!.shelved?.by === "admin");
  await bench.run(["alarm", "unshelve", raised.id]);
  await eventually("it to be back", async () => (await alarmsOf("hot"))[0]!.shelved === null);
  await set("oven", "limit", 80);
  await alarmIn("hot", "normal");
  assert.deepEqual(
    (await historyOf(raised.id)).map(({ kind }) => kind),
    ["raised", "shelved", "unshelved", "set", "cleared"],
  );
});

test("a flood is one line with a count", async () => {
  const group = await eventually("the group", async () =>
    (await alarmsOf("flood")).find((one) => one.key === "*" && one.count > 5),
  );
  assert.match(group.message, /of "flood" at once/);
  assert.equal((await alarmsOf("flood")).length, 4, "three of their own, then one for the rest");
  assert.equal((await bench.run(["delete", "rule", "flood"])).code, 0);
  await eventually("all to end with the rule", async () =>
    (await alarmsOf("flood")).every(({ state }) => state === "normal"),
  );
});

test("without the cloud it is raised and acted on at the edge, and stands in the history afterwards with its times", async () => {
  await set("conveyor-01", "enabled", true);
  const port = new URL(cloud.address).port;
  const localPort = new URL(cloud.localAddress).port;
  const before = (await alarmsOf("fast")).length;
  await cloud.process.kill();
  const cutAt = Date.now();
  const here = (...args: string[]) =>
    bench.run(["edge", ...args, "--data-dir", edge.folder], { env: { PENSTOCK_SERVER: "http://127.0.0.1:1" } });
  assert.equal((await here("set", "conveyor-01", "speed", "70")).code, 0);
  await eventually("the machine to be stopped", async () =>
    /^enabled +false/m.test((await here("twin", "conveyor-01")).stdout),
  );
  assert.equal((await here("set", "conveyor-01", "speed", "10")).code, 0);
  // What is told is on disk: a gateway that is killed meanwhile tells it all the same.
  await eventually("it to be over at the edge", async () =>
    /^speed +10/m.test((await here("twin", "conveyor-01")).stdout),
  );
  await edge.process.kill();
  edge = await bench.startAgent("gw-01");
  const backAt = Date.now();
  await bench.startCloudAgain(cloud, { port, localPort });
  const alarm = await alarmIn("fast", "returned");
  assert.equal((await alarmsOf("fast")).length, before + 1);
  const history = await historyOf(alarm.id);
  assert.deepEqual(
    history.map(({ kind }) => kind),
    ["raised", "cleared"],
  );
  for (const { time } of history) {
    assert.ok(Date.parse(time) >= cutAt && Date.parse(time) <= backAt, `${time} is of while the cloud was away`);
  }
  assert.equal(Date.parse(alarm.raisedAt), Date.parse(history[0]!.time));
});

test("what is acknowledged while the gateway is away waits for it", async () => {
  const alarm = await alarmIn("fast", "returned");
  await edge.process.kill();
  const waits = await bench.run(["alarm", "ack", alarm.id, "--no-wait"]);
  assert.match(waits.stdout, /acknowledge waits for the gateway gw-01/);
  assert.match((await bench.run(["get", "alarms"])).stdout, /returned .*\(acknowledge waits\)/);
  edge = await bench.startAgent("gw-01");
  await eventually("it to be done, and answered", async () => {
    const [one] = await alarmsOf("fast");
    return one?.state === "normal" && one.pending.length === 0;
  });
});
