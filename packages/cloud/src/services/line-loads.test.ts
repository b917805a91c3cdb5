import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { type DeviceSpec, type Kind, parseManifest } from "@penstock/model";
import { system } from "./context.ts";
import type { LineChange } from "./line-loads.ts";
import { type TestBench, testBench, modbus as unpriced } from "./test/test-bench.ts";
import { ref, tenant } from "./test/test-plant.ts";

// The manifest that ships says what reads cost; the other one of the test says nothing.
const shipped = readFileSync(new URL("../../../mappers/modbus/mapper.json", import.meta.url).pathname, "utf8");
const manifests = [parseManifest(shipped), { ...unpriced, name: "silent" }];
let bench: TestBench;
before(async () => {
  bench = await testBench({ manifests });
  await bench.services.nodes.create(system, ref("gw"), { metadata: { name: "gw" }, spec: {} });
});
after(() => bench.close());

const serial = { transport: "rtu", path: "/dev/ttyS0", baud: 9600, parity: "none" };
const named = (kind: Kind, name: string, spec: object) => ({ kind, metadata: { name }, spec });
const bus = (name: string, settings: object = serial) =>
  named("Connection", name, { node: "gw", protocol: "modbus", settings });
const sensor = (name: string, connection: DeviceSpec["connection"], unitId: number, every = "1s", count = 4) =>
  named("Device", name, {
    ...{ node: "gw", connection, address: { unitId } },
    properties: Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `p${i}`,
        { type: "uint16", visitor: { table: "holding", offset: i }, collect: { every } },
      ]),
    ),
  });
/** Question 8 bytes, answer 5 and 2 for each register, twice 3.5 characters of silence, 5 ms until it is measured. */
const percentOf = (registers: number, timesPerSecond = 1) =>
  (((8 + 5 + 2 * registers + 7) * 10) / 9600 + 0.005) * 100 * timesPerSecond;
const near = (is: number | undefined, expected: number) =>
  assert.ok(Math.abs((is ?? Number.NaN) - expected) < 0.02, `${is}, not ${expected}`);
const preview = async (...documents: ReturnType<typeof named>[]) =>
  (await bench.services.changes.preview(system, tenant, documents)).lines;
const states = (lines: readonly LineChange[]) => lines.map(({ connection, state }) => `${connection} ${state}`);
const loadOf = async (name: string) => (await bench.services.connections.get(system, ref(name))).status.load;

test("a line's load is told before anything of it is stored, with what takes the most; nothing is stored", async () => {
  const [line] = await preview(bus("bus-a"), sensor("a1", "bus-a", 1), sensor("a2", "bus-a", 2, "100ms"));
  assert.equal(line!.connection, "bus-a");
  assert.equal(line!.before, null);
  near(line!.after?.percent, percentOf(4) + percentOf(4, 10));
  assert.equal(line!.after?.requestsPerSecond, 11);
  assert.equal(line!.state, "free");
  assert.deepEqual(
    line!.most.map(({ device, cadence, properties, requestsPerSecond }) => [
      device,
      cadence,
      properties,
      requestsPerSecond,
    ]),
    [
      ["a2", "every 100ms", 4, 10],
      ["a1", "every 1s", 4, 1],
    ],
  );
  assert.deepEqual((await bench.services.devices.list(system, tenant, {})).items, []);
});

test("a line is tight from 80 % on and overloaded beyond 100 %, before it is saved", async () => {
  const every = (percent: number) => `${Math.round((percentOf(4) / percent) * 1000)}ms`;
  const at = async (percent: number) => states(await preview(bus("bus-b"), sensor("b1", "bus-b", 1, every(percent))));
  assert.deepEqual(await at(70), ["bus-b free"]);
  assert.deepEqual(await at(85), ["bus-b tight"]);
  assert.deepEqual(await at(98), ["bus-b tight"]);
  assert.deepEqual(await at(110), ["bus-b overloaded"]);
});

test("before and after are told of every line that a change touches: moved devices, settings, models, removals", async () => {
  const { connections, devices, deviceModels, bulk } = bench.services;
  for (const one of [bus("bus-c"), bus("bus-d")]) await connections.create(system, ref(one.metadata.name), one);
  for (const one of [sensor("c1", "bus-c", 1), sensor("c2", "bus-c", 2)]) {
    await devices.create(system, ref(one.metadata.name), one);
  }
  near((await loadOf("bus-c")).predictedPercent!, 2 * percentOf(4));
  assert.equal((await loadOf("bus-d")).predictedPercent, 0);

  const moved = await preview(sensor("c2", "bus-d", 2));
  assert.deepEqual(moved.map(({ connection }) => connection).sort(), ["bus-c", "bus-d"]);
  for (const { connection, before, after } of moved) {
    near(before?.percent, connection === "bus-c" ? 2 * percentOf(4) : 0);
    near(after?.percent, percentOf(4));
  }
  const [slower] = await preview(bus("bus-c", { ...serial, baud: 1200 }));
  assert.ok(slower!.after!.percent > 6 * slower!.before!.percent, "1200 baud instead of 9600");
  near((await loadOf("bus-c")).predictedPercent!, 2 * percentOf(4));

  const model = named("DeviceModel", "m", { properties: sensor("x", "y", 1).spec["properties" as never] });
  await deviceModels.create(system, ref("m"), model);
  const follower = named("Device", "c3", { node: "gw", connection: "bus-d", address: { unitId: 9 }, model: "m" });
  await devices.create(system, ref("c3"), follower);
  near((await loadOf("bus-d")).predictedPercent!, percentOf(4));
  const [edited] = await preview(
    named("DeviceModel", "m", { properties: sensor("x", "y", 1, "500ms").spec["properties" as never] }),
  );
  assert.equal(edited?.connection, "bus-d");
  near(edited!.after?.percent, 2 * percentOf(4));

  const gone = await bulk.applyMany(system, tenant, {
    changes: [{ kind: "Device", name: "c2", document: null }],
    ...{ dryRun: true, reason: "edit" },
  });
  near(gone.lines[0]?.after?.percent, percentOf(4));
  const done = await bulk.applyMany(system, tenant, {
    changes: [{ kind: "Device", name: "c2", document: null }],
    ...{ dryRun: false, reason: "edit" },
  });
  assert.deepEqual(done.lines, []);
  near((await loadOf("bus-c")).predictedPercent!, percentOf(4));
});

test("what was worked out is not taken for what has changed since, nor what a dry run made for what is stored", async () => {
  const { connections, devices } = bench.services;
  await connections.create(system, ref("bus-e"), bus("bus-e"));
  const made = await devices.create(system, ref("e1"), sensor("e1", "bus-e", 1));
  near((await loadOf("bus-e")).predictedPercent!, percentOf(4));
  const faster = sensor("e1", "bus-e", 1, "100ms");
  const [line] = await preview(faster);
  near(line!.after?.percent, percentOf(4, 10));
  near((await loadOf("bus-e")).predictedPercent!, percentOf(4));
  // This edit gets the version that the dry run had.
  await devices.update(system, ref("e1"), {
    replace: sensor("e1", "bus-e", 1, "500ms"),
    ifMatch: made.metadata.resourceVersion,
  });
  near((await loadOf("bus-e")).predictedPercent!, percentOf(4, 2));
  const { metadata } = await connections.get(system, ref("bus-e"));
  const half = bus("bus-e", { ...serial, baud: 4800 });
  const dry = await connections.update(system, ref("bus-e"), { replace: half, ifMatch: "*", dryRun: true });
  const would = dry.status.load.predictedPercent!;
  assert.ok(would > 1.5 * percentOf(4, 2), `${would}`);
  // This one too gets the version of the dry run, and says something else.
  const slow = bus("bus-e", { ...serial, baud: 1200 });
  await connections.update(system, ref("bus-e"), { replace: slow, ifMatch: metadata.resourceVersion });
  assert.ok((await loadOf("bus-e")).predictedPercent! > 3 * would);
});

test("copies and tables tell it in their dry runs; a device's own line is one too", async () => {
  const { connections, devices, copies, tables } = bench.services;
  await connections.create(system, ref("bus-f"), bus("bus-f"));
  await devices.create(system, ref("temp-01"), sensor("temp-01", "bus-f", 1));
  const copied = await copies.create(
    system,
    { tenant, device: "temp-01" },
    {
      ...{ pattern: "temp-{02..10}", steps: { "address.unitId": 1 }, dryRun: true },
    },
  );
  near(copied.lines[0]?.before?.percent, percentOf(4));
  near(copied.lines[0]?.after?.percent, 10 * percentOf(4));
  const properties = "device,property,collect.every\r\ntemp-01,p0,100ms\r\n";
  const imported = await tables.importDevices(system, tenant, {
    ...{ mode: "merge", removeAbsent: false, dryRun: true, input: { format: "csv", properties } },
  });
  near(imported.lines[0]?.after?.percent, percentOf(3) + percentOf(1, 10));

  const own = { protocol: "modbus", settings: { ...serial, path: "/dev/ttyS1" } };
  const [line] = await preview(sensor("alone", own, 1));
  assert.deepEqual([line?.connection, line?.device], [null, "alone"]);
  near(line?.after?.percent, percentOf(4));
});

test("where nobody can tell there is a reason, not 0", async () => {
  const silent = named("Connection", "bus-g", { node: "gw", protocol: "silent", settings: { host: "h" } });
  const [line] = await preview(silent);
  assert.deepEqual([line!.after, line!.state], [null, "unknown"]);
  assert.equal(line!.unpredicted, 'mapper "silent" does not say what its reads cost');
  await bench.services.connections.create(system, ref("bus-g"), silent);
  const load = await loadOf("bus-g");
  assert.deepEqual([load.predictedPercent, load.unpredicted], [null, line!.unpredicted]);
});
