import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { AppError, type DeviceSpec, limits, parseManifest } from "@penstock/model";
import { sql } from "kysely";
import type { BulkChange } from "./bulk.ts";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { ref, refuses, tenant } from "./test/test-plant.ts";

// The manifest that ships: what overlaps and what ends a table follows from it.
const manifests = [
  parseManifest(readFileSync(new URL("../../../mappers/modbus/mapper.json", import.meta.url).pathname, "utf8")),
];
let bench: TestBench;
before(async () => {
  bench = await testBench({ manifests });
});
after(() => bench.close());

const temperature = { type: "float64", unit: "Cel", visitor: { table: "holding", offset: 0, raw: "float32" } };

/** A gateway, a bus, and the first sensor on it: one float at offset 0 of unit 3. */
async function plant(suffix: string, offset = 0) {
  const { services } = bench;
  const [node, bus, device] = [`gw-${suffix}`, `bus-${suffix}`, `temp-${suffix}-01`];
  await services.nodes.create(system, ref(node), { metadata: { name: node }, spec: {} });
  const connection = { node, protocol: "modbus", settings: { host: "127.0.0.1" } };
  await services.connections.create(system, ref(bus), { metadata: { name: bus }, spec: connection });
  const properties = { temperature: { ...temperature, visitor: { ...temperature.visitor, offset } } };
  const spec = { node, connection: bus, address: { unitId: 3 }, properties };
  const made = await services.devices.create(system, ref(device), {
    metadata: { name: device, labels: { cell: "1" } },
    spec,
  });
  return { node, bus, device, spec, uid: made.metadata.uid, at: { tenant, device } };
}
const names = async (suffix: string) =>
  (await bench.services.devices.list(system, tenant, { limit: 1000 })).items
    .map(({ metadata }) => metadata.name)
    .filter((name) => name.startsWith(`temp-${suffix}-`));
async function fieldsOf(promise: Promise<unknown>): Promise<string[]> {
  const error = await promise.then(
    () => assert.fail("should be refused"),
    (one: unknown) => one,
  );
  assert.ok(error instanceof AppError, String(error));
  return error.fields.map(({ field, rule }) => `${field}: ${rule}`);
}
const offsetOf = async (device: string) =>
  (await bench.services.devices.get(system, ref(device))).spec.properties?.temperature?.visitor?.offset;

test("copies: ten sensors are previewed, made, and taken back with one undo; the preview stores nothing", async () => {
  const { at, device } = await plant("a");
  const { copies, changes } = bench.services;
  const request = { pattern: "temp-a-{02..10}", steps: { "visitor.offset": 2, "labels.cell": 1 } };
  const planned = await copies.create(system, at, { ...request, dryRun: true });
  assert.deepEqual(await names("a"), [device]);
  assert.equal(planned.change, null);
  assert.deepEqual(planned.rows[8], {
    row: 9,
    name: "temp-a-10",
    fields: [
      { field: "properties.temperature.visitor.offset", step: "visitor.offset", from: 0, to: 18 },
      { field: "labels.cell", step: "labels.cell", from: "1", to: "10" },
    ],
  });
  const made = await copies.create(system, at, request);
  assert.deepEqual(made.rows, planned.rows);
  assert.equal((await names("a")).length, 10);
  assert.equal(await offsetOf("temp-a-10"), 18);
  const undone = await changes.undo(system, { tenant, change: made.change! }, {});
  assert.deepEqual(await names("a"), [device]);
  assert.equal(undone.results.length, 9);
  // The undo is a change too: taken back, the nine are there again, as the same devices.
  await changes.undo(system, { tenant, change: undone.change! }, {});
  assert.equal((await names("a")).length, 10);
  const list = await changes.list(system, tenant, { limit: 3 });
  assert.deepEqual(
    list.items.map(({ reason, resources, undoes, undoneBy }) => [reason, resources, undoes, undoneBy]),
    [
      ["undo", 9, undone.change, null],
      ["undo", 9, made.change, undone.change! + 1],
      ["copy", 9, null, undone.change],
    ],
  );
});

test("copies are refused as a whole, with row and column of all that is wrong", async () => {
  const { at, device } = await plant("b");
  const { copies, devices } = bench.services;
  const copy = (pattern: string, steps: object) => copies.create(system, at, { pattern, steps: { ...steps } });

  const overlapping = await fieldsOf(copy("temp-b-{02..04}", { "visitor.offset": 1 }));
  assert.match(overlapping[0]!, /^row 1 "temp-b-02" properties\.temperature\.visitor\.offset: lies where/);
  assert.match(overlapping[0]!, new RegExp(`of device "${device}"`));
  assert.match(overlapping[1]!, /^row 2 "temp-b-03" .* of device "temp-b-04"/);

  const beyond = await fieldsOf(copy("temp-b-{2..4}", { "visitor.offset": 30_000 }));
  assert.deepEqual(
    beyond.map((text) => text.split(":")[0]),
    ["row 3"].map((row) => `${row} "temp-b-4" properties.temperature.visitor.offset`),
  );

  const properties = { temperature: { ...temperature, visitor: { ...temperature.visitor, offset: 900 } } };
  const { spec } = await devices.get(system, ref(device));
  await devices.create(system, ref("temp-b-03"), { metadata: { name: "temp-b-03" }, spec: { ...spec, properties } });
  const taken = await fieldsOf(copy("temp-b-{02..04}", { "visitor.offset": 2 }));
  assert.deepEqual(taken, ['row 2 "temp-b-03" name: another Device has the name']);

  assert.match(
    (await fieldsOf(copy("temp-b-02", { "visitor.ofset": 2 })))[0]!,
    /^steps\.visitor\.ofset: the device has no/,
  );
  assert.deepEqual(await names("b"), [device, "temp-b-03"]);
});

test("applyMany() lets devices trade places, and a device come with its connection", async () => {
  const { device, spec, node } = await plant("c");
  const { bulk, copies } = bench.services;
  await copies.create(system, { tenant, device }, { pattern: "temp-c-02", steps: { "visitor.offset": 2 } });
  const patch = (name: string, offset: number): BulkChange => ({
    ...{ kind: "Device", name, patch: { spec: { properties: { temperature: { visitor: { offset } } } } } },
  });
  const swap = { changes: [patch(device, 2), patch("temp-c-02", 0)], dryRun: false, reason: "import" } as const;
  const { id, results } = await bulk.applyMany(system, tenant, swap);
  assert.deepEqual([await offsetOf(device), await offsetOf("temp-c-02")], [2, 0]);
  assert.deepEqual(
    results.map(({ action }) => action),
    ["update", "update"],
  );
  assert.ok(id !== null);
  const gone = (await bench.services.devices.get(system, ref("temp-c-02"))).metadata.uid;
  const connection = { node, protocol: "modbus", settings: { host: "127.0.0.2" } };
  const both = await bulk.applyMany(system, tenant, {
    changes: [
      {
        kind: "Device",
        name: "temp-c-03",
        document: { metadata: { name: "temp-c-03" }, spec: { ...spec, connection: "bus-c2" } },
      },
      { kind: "Connection", name: "bus-c2", document: { metadata: { name: "bus-c2" }, spec: connection } },
      { kind: "Device", name: "temp-c-02", document: null },
      patch(device, 2),
    ],
    dryRun: false,
    reason: "import",
  });
  assert.deepEqual(
    both.results.map(({ name, action }) => [name, action]),
    [
      ["temp-c-03", "create"],
      ["bus-c2", "create"],
      ["temp-c-02", "delete"],
      [device, "unchanged"],
    ],
  );
  const assigned = await bench.context.db
    .selectFrom("assignments")
    .select("ended_at")
    .where("device_uid", "=", gone)
    .execute();
  assert.ok(
    assigned.every(({ ended_at }) => ended_at !== null),
    "no gateway speaks for what is deleted",
  );
  const again = await bulk.applyMany(system, tenant, { changes: [patch(device, 2)], dryRun: false, reason: "import" });
  assert.equal(again.id, null, "what changes nothing is no change");
});

test("applyMany() names every broken change by its index, and stores none", async () => {
  const { device, spec } = await plant("d");
  const { bulk, devices } = bench.services;
  const before = (await devices.get(system, ref(device))).metadata.resourceVersion;
  const document = (name: string, more: object) => ({ metadata: { name }, spec: { ...spec, ...more } });
  const changes: BulkChange[] = [
    { kind: "Device", name: "temp-d-02", document: document("temp-d-02", { node: "nope" }) },
    { kind: "Device", name: device, patch: { metadata: { labels: { cell: "9" } } } },
    { kind: "Device", name: "temp-d-03", document: document("temp-d-03", { address: { unitId: 999 } }) },
    { kind: "Device", name: "temp-d-04", document: null },
    { kind: "Device", name: device, patch: {} },
    { kind: "Connection", name: "bus-a", document: null },
    { kind: "User", name: "admin", document: null },
  ];
  const fields = await fieldsOf(bulk.applyMany(system, tenant, { changes, dryRun: false, reason: "import" }));
  assert.deepEqual(
    fields.map((text) => text.split(": ")[0]),
    [
      "changes[0].spec.node",
      "changes[2].spec.address.unitId",
      "changes[3]",
      "changes[4].metadata.name",
      "changes[5]",
      "changes[6]",
    ],
    fields.join("\n"),
  );
  assert.equal((await devices.get(system, ref(device))).metadata.resourceVersion, before);
  const stale = [{ kind: "Device", name: device, patch: {}, ifMatch: "1" }] as const;
  await assert.rejects(
    bulk.applyMany(system, tenant, { changes: stale, dryRun: false, reason: "import" }),
    refuses("request/precondition-failed", /changes\[0\]/),
  );
  const many = Array.from({ length: limits.changesPerRequest + 1 }, (_, i) => ({ ...changes[1]!, name: `x${i}` }));
  await assert.rejects(
    bulk.applyMany(system, tenant, { changes: many, dryRun: true, reason: "import" }),
    refuses("input/invalid", /at most 1000/),
  );
});

test("history keeps every stored state, compares two, and brings one back as a new version", async () => {
  const { device, uid } = await plant("e");
  const { devices, history } = bench.services;
  const update = (patch: object) => devices.update(system, ref(device), { patch, ifMatch: "*" });
  await update({ spec: { properties: { temperature: { unit: "K" } } } });
  await update({ metadata: { labels: { cell: "2" } } });
  await update({ metadata: { labels: { cell: "2" } } });
  const of = { kind: "Device", tenant, name: device } as const;
  const { items, cursor } = await history.versions(system, of, { limit: 2 });
  assert.deepEqual(
    items.map(({ version, generation, action, actor }) => [version, generation, action, actor]),
    [
      [3, 2, "update", "system"],
      [2, 2, "update", "system"],
    ],
  );
  assert.deepEqual(
    (await history.versions(system, of, { cursor: cursor! })).items.map(({ version }) => version),
    [1],
  );
  assert.deepEqual((await history.diff(system, of, { from: 1 })).changes, [
    { field: "metadata.labels.cell", before: "1", after: "2" },
    { field: "spec.properties.temperature.unit", before: "Cel", after: "K" },
  ]);
  const first = await history.version(system, of, 1);
  assert.equal((first.spec as DeviceSpec).properties?.temperature?.unit, "Cel");

  const dry = await history.restore(system, of, { version: 1, ifMatch: "*", dryRun: true });
  assert.equal((dry.spec as DeviceSpec).properties?.temperature?.unit, "Cel");
  assert.equal((await history.versions(system, of, {})).items.length, 3);
  await assert.rejects(
    history.restore(system, of, { version: 1, ifMatch: "1" }),
    refuses("request/precondition-failed"),
  );
  const restored = await history.restore(system, of, { version: 1, ifMatch: "*" });
  assert.deepEqual(
    [restored.metadata.uid, restored.metadata.labels, restored.metadata.generation],
    [uid, { cell: "1" }, 3],
  );
  assert.deepEqual((await history.diff(system, of, { from: 1, to: 4 })).changes, []);
  await assert.rejects(history.version(system, of, 9), refuses("resource/not-found", /version 9/));
  await assert.rejects(history.versions(system, { ...of, name: "nope" }, {}), refuses("resource/not-found"));
});

test("a deleted device is listed and comes back under its own uid, while its name is free and it still fits", async () => {
  const { device, uid, spec } = await plant("f");
  const { devices, history, control } = bench.services;
  await devices.remove(system, ref(device), "*");
  const listed = (await history.deleted(system, { tenant, kind: "Device" }, {})).items.find((one) => one.uid === uid);
  assert.deepEqual([listed?.name, listed?.version], [device, 2]);
  const of = { kind: "Device", tenant, name: device } as const;

  const other = await devices.create(system, ref(device), { metadata: { name: device }, spec });
  const taken = history.restore(system, { ...of, uid }, { version: 1, ifMatch: "*" });
  await assert.rejects(taken, refuses("input/invalid", /another Device has the name/));
  await devices.remove(system, ref(device), "*");
  await devices.create(system, ref("temp-f-09"), { metadata: { name: "temp-f-09" }, spec });
  const meets = history.restore(system, { ...of, uid }, { version: 1, ifMatch: "*" });
  await assert.rejects(meets, refuses("input/invalid", /lies where/));
  await devices.remove(system, ref("temp-f-09"), "*");

  const back = await history.restore(system, { ...of, uid }, { version: 1, ifMatch: "*" });
  assert.deepEqual([back.metadata.uid, back.metadata.generation], [uid, 2]);
  assert.notEqual(other.metadata.uid, uid);
  assert.deepEqual(
    (await history.deleted(system, { tenant, kind: "Device" }, {})).items
      .filter(({ name }) => name === device)
      .map((one) => one.uid),
    [other.metadata.uid],
  );
  const node = await bench.services.nodes.get(system, ref("gw-f"));
  const identity = {
    tenant: (await bench.services.tenants.get(system, { tenant: "", name: tenant })).metadata.uid as never,
    node: node.metadata.uid as never,
  };
  assert.deepEqual(
    (await control.assigned(identity)).devices.map((one) => one.uid),
    [uid],
    "its gateway has it again",
  );
});

test("what was deleted in one tenant is not found in another, by name or by uid", async () => {
  const { device, uid } = await plant("i");
  const { devices, tenants, history } = bench.services;
  await devices.remove(system, ref(device), "*");
  await tenants.create(system, { tenant: "", name: "other" }, { metadata: { name: "other" }, spec: {} });
  const of = { kind: "Device", tenant: "other", name: device } as const;
  for (const at of [of, { ...of, uid }]) {
    await assert.rejects(history.versions(system, at, {}), refuses("resource/not-found"));
    await assert.rejects(history.restore(system, at, { version: 1, ifMatch: "*" }), refuses("resource/not-found"));
  }
  assert.deepEqual((await history.deleted(system, { tenant: "other", kind: "Device" }, {})).items, []);
  await assert.rejects(
    history.versions(system, { ...of, tenant, kind: "Connection", uid }, {}),
    refuses("resource/not-found"),
  );
});

test("undo is refused with the names of what changed since, and takes back edits and deletions alike", async () => {
  const { device, uid, at } = await plant("g");
  const { devices, changes, copies } = bench.services;
  const last = async () => (await changes.list(system, tenant, { limit: 1 })).items[0]!.change;
  const made = await copies.create(system, at, { pattern: "temp-g-{02..03}", steps: { "visitor.offset": 2 } });
  await devices.update(system, ref("temp-g-03"), { patch: { metadata: { labels: { cell: "x" } } }, ifMatch: "*" });
  await assert.rejects(
    changes.undo(system, { tenant, change: made.change! }, {}),
    refuses("resource/changed-since", /Cannot undo change \d+: changed since are Device "temp-g-03"$/),
  );
  assert.deepEqual(await names("g"), [device, "temp-g-02", "temp-g-03"]);
  const edit = await last();
  const dry = await changes.undo(system, { tenant, change: edit }, { dryRun: true });
  assert.equal(dry.change, null);
  await changes.undo(system, { tenant, change: edit }, {});
  assert.deepEqual((await devices.get(system, ref("temp-g-03"))).metadata.labels, { cell: "1" });
  await assert.rejects(
    changes.undo(system, { tenant, change: edit }, {}),
    refuses("resource/changed-since", /change \d+ has undone it/),
  );
  await devices.remove(system, ref(device), "*");
  await changes.undo(system, { tenant, change: await last() }, {});
  assert.equal((await devices.get(system, ref(device))).metadata.uid, uid);
  await assert.rejects(changes.undo(system, { tenant, change: 999_999 }, {}), refuses("resource/not-found"));
  const detail = await changes.get(system, { tenant, change: made.change! });
  assert.deepEqual(
    detail.changed.map(({ name, action, version }) => [name, action, version]),
    [
      ["temp-g-02", "create", 1],
      ["temp-g-03", "create", 1],
    ],
  );
});

test("versions beyond their bound go, the oldest first, and the last change can be undone all the same", async () => {
  const { device } = await plant("h");
  const { devices, history, changes } = bench.services;
  const label = (cell: number) => ({ patch: { metadata: { labels: { cell: `${cell}` } } }, ifMatch: "*" });
  for (let i = 0; i < limits.versionsPerResource + 5; i++) await devices.update(system, ref(device), label(i + 10));
  const of = { kind: "Device", tenant, name: device } as const;
  const { items } = await history.versions(system, of, { limit: 1000 });
  // 106 were stored.
  assert.equal(items.length, limits.versionsPerResource);
  assert.equal(items.at(-1)?.version, 7);
  await changes.undo(system, { tenant, change: items[0]!.change! }, {});
  assert.equal((await devices.get(system, ref(device))).metadata.labels.cell, String(limits.versionsPerResource + 13));
});

test("versions of a large resource go by bytes, but never the last two", async () => {
  const { device, uid } = await plant("l");
  const { devices, history } = bench.services;
  const blob = (text: string) => ({ patch: { spec: { custom: { blob: text.repeat(400_000) } } }, ifMatch: "*" });
  for (const text of ["a", "b"]) await devices.update(system, ref(device), blob(text));
  // 20 MB each, as if they had been stored so.
  await sql`update resource_versions set spec = hex(zeroblob(10000000)) where uid = ${uid}`.execute(bench.context.db);
  await devices.update(system, ref(device), blob("c"));
  const { items } = await history.versions(system, { kind: "Device", tenant, name: device }, {});
  assert.deepEqual(
    items.map(({ version }) => version),
    [4, 3],
  );
});

test("a thousand devices on one line are stored, and taken back, in seconds", async () => {
  const { at } = await plant("z");
  const { copies, changes } = bench.services;
  const started = performance.now();
  const steps = { "visitor.offset": 2 };
  const made = await copies.create(system, at, { pattern: "temp-z-{0002..1001}", steps });
  const stored = performance.now() - started;
  await changes.undo(system, { tenant, change: made.change! }, {});
  const undone = performance.now() - started - stored;
  // Far above what it takes on a busy machine, far below what a check of each against each would.
  assert.ok(stored < 15_000 && undone < 15_000, `${stored} ms, ${undone} ms`);
  console.log(`# 1,000 devices: stored in ${stored.toFixed(0)} ms, undone in ${undone.toFixed(0)} ms`);
});

// One after the other the first would be refused: its new place is the other's old one.
test("apply() stores documents as one change: devices trade places, or nothing is stored", async () => {
  const { spec } = await plant("swap");
  const { changes, devices } = bench.services;
  const device = (name: string, offset: number, more: object = {}) => ({
    ...{ kind: "Device" as const, metadata: { name } },
    spec: {
      ...spec,
      properties: {
        temperature: { ...spec.properties.temperature, visitor: { ...spec.properties.temperature.visitor, offset } },
      },
      ...more,
    },
  });
  await devices.remove(system, ref("temp-swap-01"), "*");
  const made = await changes.apply(system, tenant, [device("swap-1", 0), device("swap-2", 2)]);
  assert.deepEqual(
    made.results.map(({ name, action }) => `${name} ${action}`),
    ["swap-1 create", "swap-2 create"],
  );
  // Alone it is refused.
  const alone = await fieldsOf(changes.apply(system, tenant, [device("swap-1", 2)]));
  assert.match(alone[0]!, /^changes\[0\]\.spec\.properties\.temperature/);
  const swapped = await changes.apply(system, tenant, [device("swap-1", 2), device("swap-2", 0)]);
  assert.deepEqual([await offsetOf("swap-1"), await offsetOf("swap-2")], [2, 0]);
  const again = await changes.apply(system, tenant, [device("swap-1", 2), device("swap-2", 0)]);
  assert.deepEqual([again.change, again.results.map(({ action }) => action)], [null, ["unchanged", "unchanged"]]);

  // A third that breaks a rule takes the other two with it, and each that is wrong is named.
  const units = [device("swap-1", 0), device("swap-2", 4, { connection: "nowhere" }), device("swap-3", 0)];
  const fields = await fieldsOf(changes.apply(system, tenant, units));
  assert.ok(
    fields.some((one) => one.startsWith("changes[1].spec.connection: there is no Connection")),
    fields.join("; "),
  );
  assert.deepEqual([await offsetOf("swap-1"), await offsetOf("swap-2")], [2, 0]);
  await changes.undo(system, { tenant, change: swapped.change! }, {});
  assert.deepEqual([await offsetOf("swap-1"), await offsetOf("swap-2")], [0, 2]);
});
