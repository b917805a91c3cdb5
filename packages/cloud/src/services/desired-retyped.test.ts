import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { NodeIdentity } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

async function untilPending(identity: NodeIdentity) {
  while ((await bench.services.control.pendingDesired(identity)).length === 0)
    await new Promise((resolve) => setImmediate(resolve));
}

test("a pending desired value fails when its property is retyped, and stays when another thing changes", async () => {
  const { device, identity } = await plant(bench, "rt");
  const { services } = bench;
  const change = (spec: object) => services.devices.update(system, ref(device), { patch: { spec }, ifMatch: "*" });
  const waiting = services.desired.set(system, { tenant, device, property: "speed" }, { value: "42", wait: "10s" });
  const refused = assert.rejects(waiting, refuses("twin/wrong-type", /became float64.*int64/));
  await untilPending(identity);
  await change({ address: { unitId: 2 } });
  assert.equal((await services.control.pendingDesired(identity)).length, 1);
  await change({ properties: { speed: { type: "float64", maximum: null } } });
  await refused;
  assert.deepEqual(await services.control.pendingDesired(identity), []);
});

test("a pending desired value fails when its model takes the property away", async () => {
  const { node, bus, identity } = await plant(bench, "rm");
  const { services } = bench;
  const valve = { type: "int16", access: "readWrite", visitor: { table: "holding", offset: 9 } };
  const model = { metadata: { name: "valves" }, spec: { properties: { a: valve, b: valve } } };
  await services.deviceModels.create(system, ref("valves"), model);
  const spec = { node, connection: bus, model: "valves", address: { unitId: 3 } };
  await services.devices.create(system, ref("valve-1"), { metadata: { name: "valve-1" }, spec });
  const waiting = services.desired.set(system, { tenant, device: "valve-1", property: "b" }, { value: 1, wait: "10s" });
  const refused = assert.rejects(waiting, refuses("twin/unknown-property", /"b" was removed/));
  await untilPending(identity);
  await services.deviceModels.update(system, ref("valves"), {
    patch: { spec: { properties: { b: null } } },
    ifMatch: "*",
  });
  await refused;
  assert.deepEqual(await services.control.pendingDesired(identity), []);
});
