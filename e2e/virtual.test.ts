import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CloudProcess, eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

let cloud: CloudProcess;
before(async () => {
  cloud = await bench.startCloud();
  await bench.startEdge(cloud, "gw-01");
});

// The reference system's counter as its importer leaves it: two text properties, each with nothing but its name.
test("a counter runs on a gateway with no hardware at all, and counts on from what it is set to", async () => {
  const text = (name: string) => ({
    ...{ type: "string", access: "readWrite", visitor: { name }, collect: { every: "200ms" } },
  });
  const device = {
    ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: "counter" } },
    spec: {
      ...{ node: "gw-01", connection: { protocol: "virtual" } },
      properties: {
        status: text("status"),
        count: text("count"),
        wave: { type: "float64", visitor: { signal: "sine", amplitude: 5 }, collect: { every: "200ms" } },
      },
    },
  };
  const applied = await bench.run(["apply", "-f", "-"], { input: JSON.stringify(device) });
  assert.equal(applied.code, 0, applied.stderr);
  const reported = async (name: string) => {
    const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "counter" } });
    return properties.find((p) => p.property === name)?.reported ?? null;
  };
  await eventually("the counter to count", async () => Number((await reported("count"))?.value) >= 2);
  const wave = await reported("wave");
  assert.ok(wave?.quality === "good" && Math.abs(Number(wave.value)) <= 5);
  const set = await bench.run(["set", "counter", "status", "2"]);
  assert.equal(set.code, 0, set.stderr);
  await eventually("the status in the cloud", async () => (await reported("status"))?.value === "2");
  await bench.run(["set", "counter", "count", "1000"]);
  const counted = await eventually("the counter to go on from there", async () => {
    const value = Number((await reported("count"))?.value);
    return value > 1001 ? value : null;
  });
  assert.ok(counted < 1100);
});

test("examples/no-hardware.yaml is taken as it stands, and shows good and bad readings", async () => {
  const applied = await bench.run(["apply", "-f", join(root, "examples/no-hardware.yaml")]);
  assert.equal(applied.code, 0, applied.stderr);
  const reported = async (device: string) => {
    const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device } });
    return properties.map((p) => p.reported);
  };
  await eventually("five good properties", async () => {
    const all = await reported("demo-oven");
    return all.length === 5 && all.every((value) => value?.quality === "good");
  });
  await eventually(
    "a reading that fails",
    async () => (await reported("demo-loose-cable"))[0]?.reason === "mapper/device-failure",
    60_000,
  );
});
