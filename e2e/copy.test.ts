import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AppError } from "@penstock/model";
import { MemoryUnit, ModbusServer, wordsOf } from "@penstock/testkit";
import { type CloudProcess, eventually, TestBench } from "./support/penstock.ts";

/*
 * Ten equal sensors on one bus: the first is described, nine are copied, and a gateway reads all ten from a server where each
 * stands two registers after the one before.
 */
const bench = new TestBench();
const unit = new MemoryUnit({ holding: 20 });
const all = Array.from({ length: 10 }, (_, i) => `temp-${String(i + 1).padStart(2, "0")}`);
let cloud: CloudProcess;
let server: ModbusServer;
before(async () => {
  for (const i of all.keys()) unit.writeRegisters(2 * i, wordsOf("float32", "ABCD", 20.5 + i));
  server = await ModbusServer.listen({ units: new Map([[1, unit]]), port: 0 });
  cloud = await bench.startCloud();
  await bench.startEdge(cloud, "gw-01");
  const documents = [
    {
      ...{ kind: "Connection", metadata: { name: "bus-a" } },
      spec: { node: "gw-01", protocol: "modbus", settings: { host: "127.0.0.1", port: server.port } },
    },
    {
      ...{ kind: "Device", metadata: { name: "temp-01", displayName: "Sensor 1", labels: { cell: "1" } } },
      spec: {
        ...{ node: "gw-01", connection: "bus-a", address: { unitId: 1 } },
        properties: {
          temperature: {
            ...{ type: "float32", unit: "Cel", collect: { every: "200ms" } },
            visitor: { table: "holding", offset: 0, raw: "float32", wordOrder: "ABCD" },
            publish: { topic: "plant/temp01" },
          },
        },
      },
    },
  ];
  const input = documents.map((one) => JSON.stringify(one)).join("\n---\n");
  const applied = await bench.run(["apply", "-f", "-"], { input });
  assert.equal(applied.code, 0, applied.stderr);
});
after(async () => {
  await bench.close();
  await server.close();
});

const params = { tenant: "default" } as const;
async function names(): Promise<string[]> {
  const { items } = await cloud.client.devices.list({ params });
  return items.map(({ metadata }) => metadata.name);
}
const isRead = (name: string, value: number) =>
  eventually(`${name} to be read`, async () => {
    const { properties } = await cloud.client.twins.get({ params: { ...params, device: name } });
    return properties[0]?.reported?.quality === "good" && properties[0].reported.value === value;
  });
const steps = ["--step", "visitor.offset=2", "--step", "publish.topic=1", "--step", "displayName=1"];
const copy = ["copy", "temp-01", "temp-{02..10}", ...steps];

test("ten sensors: previewed, copied, read by a gateway and taken back, with the command line", async () => {
  const preview = await bench.run([...copy, "--dry-run"]);
  assert.equal(preview.code, 0, preview.stderr);
  const lines = preview.stdout.trim().split("\n");
  assert.match(
    lines[0]!,
    /^ROW +NAME +PROPERTIES\.TEMPERATURE\.VISITOR\.OFFSET +PROPERTIES\.TEMPERATURE\.PUBLISH\.TOPIC +DISPLAYNAME$/,
  );
  assert.match(lines[9]!, /^9 +temp-10 +0 → 18 +plant\/temp01 → plant\/temp10 +Sensor 1 → Sensor 10$/);
  assert.equal(lines[10], "9 devices would be made; nothing is stored");
  assert.deepEqual(await names(), ["temp-01"]);

  // Nobody can be asked here, and nobody has said yes.
  const unasked = await bench.run(copy);
  assert.equal(unasked.code, 2);
  assert.match(unasked.stderr, /--yes/);
  assert.deepEqual(await names(), ["temp-01"]);

  const made = await bench.json<{ change: number; rows: { name: string }[] }>([...copy, "--yes"]);
  assert.deepEqual(
    made.rows.map(({ name }) => name),
    all.slice(1),
  );
  assert.deepEqual(await names(), all);
  for (const [i, name] of all.entries()) await isRead(name, 20.5 + i);

  const undone = await bench.run(["undo", String(made.change)]);
  assert.equal(undone.code, 0, undone.stderr);
  assert.match(undone.stdout, new RegExp(`Device +temp-10 +deleted\nChange ${made.change} is undone by change`));
  assert.deepEqual(await names(), ["temp-01"]);
  const again = await bench.run(["undo", String(made.change)]);
  assert.equal(again.code, 5, "it has changed since");
  assert.match(again.stderr, /resource\/changed-since/);
});

test("the same in three requests of the API, in under a second together", async () => {
  const at = { params: { ...params, device: "temp-01" } };
  const body = { pattern: "temp-{02..10}", steps: { "visitor.offset": 2, "publish.topic": 1 } };
  const started = performance.now();
  const preview = await cloud.client.copies.create({ ...at, body: { ...body, dryRun: true } });
  const made = await cloud.client.copies.create({ ...at, body });
  assert.equal(made.rows.length, 9);
  const undone = await cloud.client.changes.undo({ params: { ...params, change: String(made.change) } });
  const took = performance.now() - started;
  assert.deepEqual(preview.rows, made.rows);
  assert.equal(undone.results.length, 9);
  assert.deepEqual(await names(), ["temp-01"]);
  assert.ok(took < 1000, `${took} ms`);

  // Taken back once more, they are the same devices as before, and the gateway reads them again.
  await cloud.client.changes.undo({ params: { ...params, change: String(undone.change) } });
  await isRead("temp-10", 29.5);
});

test("a copy that cannot be is refused as a whole, with row and column; history and restore work from the command line", async () => {
  const overlapping = await bench.run(["copy", "temp-01", "temp-{11..13}", "--step", "visitor.offset=19", "-y"]);
  assert.equal(overlapping.code, 2);
  assert.match(
    overlapping.stderr,
    /row 1 "temp-11" properties\.temperature\.visitor\.offset: 19: lies where property "temperature" of device "temp-10"/,
  );
  const taken = cloud.client.copies.create({
    params: { ...params, device: "temp-01" },
    body: { pattern: ["temp-10", "temp-20"], steps: { "visitor.offset": 40 } },
  });
  await assert.rejects(
    taken,
    (error: unknown) => error instanceof AppError && error.fields[0]!.field === 'row 1 "temp-10" name',
  );

  const patch = { spec: { properties: { temperature: { unit: "K" } } } };
  const { metadata } = await cloud.client.devices.get({ params: { ...params, name: "temp-01" } });
  await cloud.client.devices.patch({
    params: { ...params, name: "temp-01" },
    body: patch,
    ifMatch: metadata.resourceVersion,
  });
  const history = await bench.run(["history", "device", "temp-01"]);
  assert.match(history.stdout, /^VERSION .*\n2 .* admin +update +2 .*\n1 .* admin +create +1/);
  const diff = await bench.run(["diff", "device", "temp-01"]);
  assert.match(diff.stdout, /FIELD +VERSION 1 +VERSION 2\nspec\.properties\.temperature\.unit +Cel +K/);
  const restored = await bench.run(["restore-version", "device", "temp-01", "1"]);
  assert.match(restored.stdout, /Device "temp-01" is again what it was at version 1/, restored.stderr);
  await bench.run(["delete", "device", "temp-10"]);
  assert.match((await bench.run(["deleted", "devices"])).stdout, /^NAME .*\ntemp-10 /);
  const back = await bench.run(["restore-version", "device", "temp-10", "1"]);
  assert.equal(back.code, 0, back.stderr);
  await isRead("temp-10", 29.5);
  assert.match((await bench.run(["changes"])).stdout, /restore +1 +version 1 of Device "temp-10"/);
});
