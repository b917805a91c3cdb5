import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DataType } from "node-opcua-client";
import { PlantServer } from "../packages/mappers/opcua/test/plant-server.ts";
import { type CloudProcess, eventually, root, TestBench } from "./support/penstock.ts";

type Space = NonNullable<PlantServer["server"]["engine"]["addressSpace"]>;
type EventFields = Parameters<Space["rootFolder"]["objects"]["server"]["raiseEvent"]>[1];

const bench = new TestBench();
let cloud: CloudProcess;
let plant: PlantServer;
before(async () => {
  plant = await PlantServer.start();
  cloud = await bench.startCloud();
  await bench.startEdge(cloud, "gw-01");
});
after(async () => {
  await bench.close();
  await plant.stop();
});

const device = { tenant: "default", device: "furnace" };
async function reported(property: string) {
  const { properties } = await cloud.client.twins.get({ params: device });
  return properties.find((each) => each.property === property)?.reported ?? null;
}

test("examples/opcua.yaml is taken as it stands: changes, events, a written value and a method, through the whole system", async () => {
  const example = readFileSync(join(root, "examples/opcua.yaml"), "utf8");
  const here = example.replaceAll("10.0.4.12:4840", `127.0.0.1:${plant.port}`);
  const applied = await bench.run(["apply", "-f", "-"], { input: here });
  assert.equal(applied.code, 0, applied.stderr);
  await eventually("the present temperature", async () => (await reported("temperature"))?.value === 20);

  const furnace = plant.server.engine.addressSpace!.findNode(`ns=${plant.namespace.index};s=Furnace.Temperature`)!;
  const set = (value: number) =>
    (furnace as unknown as PlantServer["counters"][number]).setValueFromSource({ dataType: DataType.Double, value });
  const from = Date.now() * 1000;
  for (let i = 1; i <= 10; i++) {
    set(100 + i);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await eventually("the last change", async () => (await reported("temperature"))?.value === 110);
  const { points } = await cloud.client.series.query({
    params: { ...device, property: "temperature" },
    query: { from: new Date(from / 1000 - 1000).toISOString(), points: 100 },
  });
  const changes = points.map(({ value }) => value).filter((value) => Number(value) > 100);
  assert.deepEqual(changes, [101, 102, 103, 104, 105, 106, 107, 108, 109, 110]);

  const written = await bench.run(["set", "furnace", "temperature", "85"]);
  assert.equal(written.code, 0, written.stderr + written.stdout);
  assert.match(written.stdout, /confirmed/);
  const called = await bench.run(["call", "furnace", "heat", "degrees=20.5", "batch=9007199254740993"]);
  assert.equal(called.code, 0, called.stderr + called.stdout);
  assert.deepEqual(plant.calls, [[20.5, [2097152, 1]]]);

  plant.server.engine.addressSpace!.rootFolder.objects.server.raiseEvent("BaseEventType", {
    message: { dataType: "LocalizedText", value: { text: "Door open" } },
    severity: { dataType: "UInt16", value: 500 },
    sourceName: { dataType: "String", value: "Furnace" },
  } as object as EventFields);
  await eventually("the event", async () => JSON.stringify(await reported("events")).includes("Door open"));
});

test("a server that is restarted is found again, and every change from then on", async () => {
  const { port } = plant;
  await plant.stop();
  plant = await PlantServer.start({ port, namespacesBefore: 2 });
  await eventually(
    "the temperature of the new server",
    async () => (await reported("temperature"))?.value === 20,
    60_000,
  );
});
