import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { CutProxy } from "../../packages/mappers/opcua/test/cut-proxy.ts";
import { plantUri } from "../../packages/mappers/opcua/test/plant-server.ts";
import { type CloudProcess, eventually, TestBench } from "../support/penstock.ts";
import { everyMs } from "./every-ms.ts";
import { Plant } from "./plant.ts";

const items = 1000;
/** thirty seconds of changes */
const queue = 30_000 / everyMs;
/** values of the second life of the server */
const secondLife = 1_000_000;

const bench = new TestBench();
const logPath = join(bench.folder, "edge.log");
let cloud: CloudProcess;
let plant: Plant;
let proxy: CutProxy;
before(async () => {
  plant = await Plant.start({ counters: items, first: 0 });
  proxy = new CutProxy(() => plant.port);
  cloud = await bench.startCloud();
  await bench.startEdge(cloud, "gw-01", { logPath });
});
after(async () => {
  await bench.close();
  await proxy.close();
  await plant.kill();
});

const names = Array.from({ length: items }, (_, i) => `count${i}`);
const property = (node: string, size: number) => ({
  ...{ type: "uint32", collect: { subscribe: true } },
  visitor: { nodeId: `nsu=${plantUri};s=${node}`, publishing: everyMs, sampling: 0, queue: size },
});
function described(port: number): string {
  const common = { apiVersion: "penstock.dev/v1" };
  const device = (name: string, properties: object) => ({
    ...{ ...common, kind: "Device", metadata: { name } },
    spec: { node: "gw-01", connection: "line", properties },
  });
  const settings = { url: `opc.tcp://127.0.0.1:${port}` };
  const line = {
    ...common,
    kind: "Connection",
    metadata: { name: "line" },
    spec: { node: "gw-01", protocol: "opcua", settings },
  };
  const all = device("all", Object.fromEntries(names.map((name) => [name, property(name, queue)])));
  // Its queue is too small for any cut: what it loses must be said.
  const forgetful = device("forgetful", { count: property("count0", 5) });
  return [line, all, forgetful].map((one) => JSON.stringify(one)).join("\n---\n");
}

async function arePresent(value: number): Promise<boolean> {
  const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "all" } });
  return properties.length === items && properties.every(({ reported }) => reported?.value === value);
}

/** Every stored reading of a property, as it stands in the cloud. */
async function stored(device: string, name: string) {
  const { points, truncated } = await cloud.client.series.query({
    params: { tenant: "default", device, property: name },
    query: { from: "-1h", to: "now", points: 10_000, aggregate: "raw" },
  });
  assert.equal(truncated, false);
  return points;
}

async function eachStored(check: (points: Awaited<ReturnType<typeof stored>>, name: string) => void): Promise<void> {
  const waiting = [...names];
  const worker = async () => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) check(await stored("all", name), name);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("1,000 items at 10 Hz through the gateway: cut lines lose, double and swap nothing that the server's queue holds", async (t) => {
  const port = await proxy.listen();
  const applied = await bench.run(["apply", "-f", "-"], { input: described(port) });
  assert.equal(applied.code, 0, applied.stderr);
  // In the next breath, while the mapper is only starting.
  const browsed = await bench.run(["browse", "line"]);
  assert.equal(browsed.code, 0, browsed.stderr);
  assert.match(browsed.stdout, /count0/);
  await eventually("the present values", () => arePresent(0), 60_000);

  plant.count();
  await wait(5000);
  proxy.cut();
  await wait(4000);
  proxy.heal();
  await wait(5000);
  proxy.isMute = true;
  await wait(3000);
  proxy.cut();
  await wait(1000);
  proxy.heal();
  await wait(4000);
  const last = await plant.stopCounting();
  await eventually("the last change of every item", () => arePresent(last), 60_000);

  const every = range(0, last);
  let readings = 0;
  await eachStored((points, name) => {
    assert.deepEqual(
      points.map(({ value }) => value),
      every,
      name,
    );
    assert.ok(points.every(({ quality }) => quality === "good"));
    readings += points.length;
  });
  t.diagnostic(`${readings} readings of ${items} items stored, each change once: values 0..${last}`);

  // The same in small, to see that a loss would be seen: after each gap, and nowhere else, the value says so.
  const forgetful = await stored("forgetful", "count");
  const values = forgetful.map(({ value }) => Number(value));
  const gaps = values.map((value, i) => i > 0 && value !== values[i - 1]! + 1);
  assert.ok(gaps.filter((isGap) => isGap).length >= 2, "two cuts, two gaps");
  forgetful.forEach(({ quality, reason }, i) => {
    assert.deepEqual([quality, reason], gaps[i] === true ? ["uncertain", "mapper/changes-lost"] : ["good", null]);
  });
  assert.match(readFileSync(logPath, "utf8"), /Changes were lost at the device/);
  assert.doesNotMatch(readFileSync(logPath, "utf8"), /The device tells more than the gateway takes/);
});

test("after a restart of the server: every change from the re-subscription on", async (t) => {
  const { port } = plant;
  await plant.kill();
  plant = await Plant.start({ port, counters: items, first: secondLife });
  plant.count();
  await eventually(
    "values of the server's second life",
    async () => {
      const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "all" } });
      return properties.every(({ reported }) => Number(reported?.value) > secondLife);
    },
    60_000,
  );
  await wait(3000);
  const last = await plant.stopCounting();
  await eventually("the last change of every item", () => arePresent(last), 60_000);
  const firsts = new Set<number>();
  await eachStored((points, name) => {
    const values = points.map(({ value }) => Number(value)).filter((value) => value >= secondLife);
    assert.ok(values.length > 3000 / everyMs - 5, `${name}: ${values.length} values`);
    assert.deepEqual(values, range(values[0]!, last), name);
    // What was not told before says why.
    assert.ok(points.some(({ quality, reason }) => quality === "bad" && reason === "mapper/connection-lost"));
    firsts.add(values[0]!);
  });
  t.diagnostic(`every change of ${items} items from ${[...firsts].join(" and ")} to ${last}`);
});
