import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type BootId, type DeviceUid, type ErrorCode, formatMicros, type Micros, type NodeUid } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, temperature, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

test("services.start() makes the default tenant and one administrator, once", async () => {
  assert.equal(bench.first?.user, "admin");
  assert.ok(bench.first.password.length >= 20);
  assert.equal((await bench.services.tenants.list(system, "", {})).items.length, 1);
  await bench.restart();
  assert.equal(bench.first, null);
});

test("devices.create() names field, value and rule of everything the schema cannot say, and stores nothing", async () => {
  const { node, bus } = await plant(bench, "a");
  const { services } = bench;
  const make = (spec: object) => services.devices.create(system, ref("bad"), { metadata: { name: "bad" }, spec });
  const one = (property: object) => ({ node, connection: bus, properties: { x: { ...temperature, ...property } } });
  const cases: [object, ErrorCode, RegExp][] = [
    [{ node: "nope", connection: bus }, "resource/missing-reference", /spec\.node: "nope"/],
    [{ node, connection: "nope" }, "resource/missing-reference", /spec\.connection: "nope"/],
    [{ node, connection: bus, model: "nope" }, "resource/missing-reference", /spec\.model: "nope"/],
    [{ node, connection: bus, addres: {} }, "input/invalid", /spec\.addres: {}: unknown field/],
    [{ node, connection: { protocol: "modbuss" } }, "input/invalid", /spec\.connection\.protocol: "modbuss".*modbus/],
    [{ node, connection: { protocol: "modbus" } }, "input/invalid", /spec\.connection\.settings\.host/],
    [{ node, connection: bus, address: { unitId: 999 } }, "input/invalid", /spec\.address\.unitId: 999/],
    [
      one({ type: "int16", minimum: 5, maximum: 1 }),
      "input/invalid",
      /spec\.properties\.x\.minimum: 5.*at most maximum, 1/,
    ],
    [one({ type: "uint8", maximum: 256 }), "input/invalid", /spec\.properties\.x\.maximum: 256.*0\.\.255/],
    [one({ type: "string", minimum: 1 }), "input/invalid", /string has no range/],
    [one({ collect: { every: "1ms" } }), "input/invalid", /spec\.properties\.x\.collect\.every: "1ms"/],
    [
      one({ visitor: { table: "holdin", offset: 0 } }),
      "input/invalid",
      /spec\.properties\.x\.visitor\.table: "holdin"/,
    ],
    [
      { node, connection: bus, properties: { x: { visitor: temperature.visitor } } },
      "input/invalid",
      /x\.type.*required/,
    ],
    [
      { node, connection: bus, properties: { "1x": temperature } },
      "input/invalid",
      /spec\.properties\.1x.*name must match/,
    ],
  ];
  for (const [spec, code, about] of cases) await assert.rejects(make(spec), refuses(code, about), JSON.stringify(spec));
  await assert.rejects(services.devices.get(system, ref("bad")), refuses("resource/not-found"));
});

test("devices.create() refuses a connection of another node", async () => {
  const one = await plant(bench, "b1");
  const two = await plant(bench, "b2");
  const spec = { node: one.node, connection: two.bus };
  await assert.rejects(
    bench.services.devices.create(system, ref("bad"), { metadata: { name: "bad" }, spec }),
    refuses("input/invalid", /at the device's node "gw-b1", but is at "gw-b2"/),
  );
});

test("devices.update() needs the present ETag, and changes nothing when nothing changed", async () => {
  const { device, etag } = await plant(bench, "c");
  const { services } = bench;
  const stale = { patch: { metadata: { labels: { a: "1" } } }, ifMatch: "1" };
  await assert.rejects(services.devices.update(system, ref(device), stale), refuses("request/precondition-failed"));
  const same = await services.devices.update(system, ref(device), { patch: {}, ifMatch: etag });
  assert.equal(same.metadata.resourceVersion, etag);
  const labelled = await services.devices.update(system, ref(device), { ...stale, ifMatch: etag });
  assert.equal(labelled.metadata.generation, 1);
  assert.notEqual(labelled.metadata.resourceVersion, etag);
  const patch = { spec: { properties: { temperature: { unit: "K" } } } };
  const changed = await services.devices.update(system, ref(device), { patch, ifMatch: "*" });
  assert.equal(changed.metadata.generation, 2);
  assert.equal(changed.spec.properties?.temperature?.unit, "K");
});

test("remove() of what is in use names who uses it", async () => {
  const { node, bus, device } = await plant(bench, "d");
  const { services } = bench;
  await assert.rejects(
    services.connections.remove(system, ref(bus), "*"),
    refuses("resource/in-use", /Device "conveyor-d"/),
  );
  await assert.rejects(services.nodes.remove(system, ref(node), "*"), refuses("resource/in-use", /Connection "bus-d"/));
  await assert.rejects(services.tenants.remove(system, { tenant: "", name: tenant }, "*"), refuses("resource/in-use"));
  await assert.rejects(
    services.users.remove(system, { tenant: "", name: "admin" }, "*"),
    refuses("resource/in-use", /last/),
  );
  await services.devices.remove(system, ref(device), "*");
  await services.connections.remove(system, ref(bus), "*");
  await services.nodes.remove(system, ref(node), "*");
  await assert.rejects(services.nodes.get(system, ref(node)), refuses("resource/not-found"));
});

test("assigned() merges models under devices, resolves names, and grows with every change for the node", async () => {
  const { node, bus, device, identity, uid } = await plant(bench, "e");
  const { services } = bench;
  await services.deviceModels.create(system, ref("meter"), {
    metadata: { name: "meter" },
    spec: {
      address: { unitId: 7 },
      properties: { power: { type: "uint16", unit: "W", visitor: { table: "holding", offset: 5 } } },
    },
  });
  const first = await services.control.assigned(identity);
  assert.equal(first.devices.length, 1);
  await services.devices.create(system, ref("meter-e"), {
    metadata: { name: "meter-e" },
    spec: {
      node,
      connection: { protocol: "modbus", settings: { host: "10.0.0.9" } },
      model: "meter",
      properties: { power: { visitor: { offset: 6 }, collect: { every: "250ms" } } },
    },
  });
  const second = await services.control.assigned(identity);
  assert.ok(second.version > first.version);
  const meter = second.devices.find((one) => one.name === "meter-e")!;
  assert.deepEqual(meter.address, { unitId: 7 });
  assert.deepEqual(meter.properties[0]?.visitor, { table: "holding", offset: 6 });
  assert.deepEqual(meter.properties[0]?.collect, { everyMs: 250 });
  assert.equal(second.connections.length, 2);
  assert.deepEqual(await services.control.assigned(identity), second);
  const conveyor = second.devices.find((one) => one.uid === uid)!;
  assert.equal(conveyor.connection, second.connections.find((one) => one.name === bus)?.uid);
  assert.equal(conveyor.properties.find((one) => one.name === "speed")?.maximum, "9007199254740993");
  // A change of the model reaches its devices, unless one would break.
  const bad = { patch: { spec: { properties: { power: { minimum: 9, maximum: 1 } } } }, ifMatch: "*" };
  await assert.rejects(services.deviceModels.update(system, ref("meter"), bad), refuses("input/invalid"));
  await services.deviceModels.update(system, ref("meter"), {
    patch: { spec: { address: { unitId: 8 } } },
    ifMatch: "*",
  });
  const third = await services.control.assigned(identity);
  assert.ok(third.version > second.version);
  assert.deepEqual(third.devices.find((one) => one.name === "meter-e")?.address, { unitId: 8 });
  await services.devices.remove(system, ref(device), "*");
  assert.equal((await services.control.assigned(identity)).devices.length, 1);
  assert.equal(await services.control.wasAssigned(identity, uid), true);
  assert.equal(await services.control.wasAssigned(identity, "00" as DeviceUid), false);
});

test("alarms count up until cleared, then are raised anew; a full outbox raises one", async () => {
  const { identity } = await plant(bench, "m");
  const { services } = bench;
  const alarm = { code: "ingest/gap", key: "e 1..5", message: "lost" } as const;
  services.control.raise(identity, alarm);
  services.control.raise(identity, alarm);
  services.control.clear(identity, alarm);
  services.control.raise(identity, alarm);
  await services.alarms.close();
  const of = async (active: boolean) =>
    (await services.alarms.list(system, tenant, { active })).items.filter((one) => one.node === "gw-m");
  assert.deepEqual(
    (await of(true)).map((one) => [one.count, one.severity]),
    [[1, "critical"]],
  );
  assert.deepEqual(
    (await of(false)).map((one) => one.count),
    [2],
  );
});

test("auth.login() answers wrong password and unknown user alike, and stops after ten attempts a minute", async () => {
  const { services, clock } = bench;
  const document = { metadata: { name: "worker" }, spec: { role: "administrator", password: "correct horse battery" } };
  const made = await services.users.create(system, { tenant: "", name: "worker" }, document);
  assert.equal(JSON.stringify(made).includes("horse"), false);
  const login = (user: string, password: string) =>
    services.auth.login({ user, password, kind: "bearer", remote: "test" });
  await assert.rejects(login("worker", "wrong"), refuses("request/unauthenticated", /user or password/));
  await assert.rejects(login("nobody", "wrong"), refuses("request/unauthenticated", /user or password/));
  const { token } = await login("worker", "correct horse battery");
  assert.equal((await services.auth.authenticate(token)).caller.name, "worker");
  await services.auth.logout(token);
  await assert.rejects(services.auth.authenticate(token), refuses("request/unauthenticated"));
  for (let i = 0; i < 8; i++) await assert.rejects(login("worker", "wrong"), refuses("request/unauthenticated"));
  await assert.rejects(login("worker", "correct horse battery"), refuses("request/too-many"));
  clock.move(60_000);
  const second = await login("worker", "correct horse battery");
  const stored = JSON.stringify(await bench.context.db.selectFrom("sessions").selectAll().execute());
  assert.equal(stored.includes(second.token), false);
});

test("list() pages by name and filters by label", async () => {
  const { services } = bench;
  for (const [name, line] of [
    ["t1", "a"],
    ["t2", "b"],
    ["t3", "a"],
  ] as const) {
    const document = { metadata: { name, labels: { line } }, spec: {} };
    await services.tenants.create(system, { tenant: "", name }, document);
  }
  const names = (page: { items: { metadata: { name: string } }[] }) => page.items.map((one) => one.metadata.name);
  const first = await services.tenants.list(system, "", { limit: 2 });
  assert.deepEqual(names(first), ["default", "t1"]);
  const rest = await services.tenants.list(system, "", { limit: 2, cursor: first.cursor! });
  assert.deepEqual([names(rest), rest.cursor], [["t2", "t3"], null]);
  assert.deepEqual(names(await services.tenants.list(system, "", { labels: "line=a", limit: 1 })), ["t1"]);
  assert.deepEqual(names(await services.tenants.list(system, "", { labels: "line,line!=a" })), ["t2"]);
  await assert.rejects(services.tenants.list(system, "", { labels: "=" }), refuses("input/invalid"));
});

test("when a node was last seen outlives a restart, and is written at most once a minute", async () => {
  const { identity, node } = await plant(bench, "seen");
  const status = async () => (await bench.services.nodes.get(system, ref(node))).status;
  const kept = async () =>
    (await bench.context.db.selectFrom("node_sightings").select(["node_uid", "last_seen_at"]).execute()).find(
      (row) => row.node_uid === identity.node,
    )?.last_seen_at;
  const hello = { boot: "b" as BootId, agentVersion: "1.2.3", remote: "r" };
  bench.services.control.nodeConnected(identity, hello);
  const first = bench.clock.now();
  assert.equal(await kept(), undefined);
  bench.clock.move(60_000);
  while ((await kept()) === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await kept(), first);
  bench.clock.move(5000);
  bench.services.control.nodeDisconnected(identity, "gone");
  assert.equal(await kept(), first);
  const before = await status();
  await bench.restart();
  assert.deepEqual(await status(), before);
  assert.equal((await status()).lastSeenAt, formatMicros((first + 65_000_000) as Micros));
  assert.equal((await status()).agentVersion, "1.2.3");
});

test("a node's status has the counters it last reported, and none before", async () => {
  const { identity, node } = await plant(bench, "counts");
  const counters = async () => (await bench.services.nodes.get(system, ref(node))).status.counters;
  assert.deepEqual(await counters(), {});
  const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };
  const report = { agentVersion: "1.2.3", mappers: [], devices: [], cycles: [], lines: [], outbox };
  for (const dropped of [4, 5]) {
    const said = { penstock_bus_dropped_readings_total: dropped };
    bench.services.control.nodeReport(identity, { ...report, counters: said });
    assert.deepEqual(await counters(), said);
  }
});

test("an alarm does not outlive its node, nor one about two machines the process that watched them", async () => {
  await bench.services.nodes.create(system, ref("gw-alarm"), { metadata: { name: "gw-alarm" }, spec: {} });
  const { identity } = await plant(bench, "alarm2");
  const made = await bench.services.nodes.get(system, ref("gw-alarm"));
  const gone = { ...identity, node: made.metadata.uid as NodeUid };
  const { control } = bench.services;
  control.raise(gone, { code: "ingest/gap", key: "k", message: "Lost" });
  control.raise(identity, { code: "ingest/gap", key: "k", message: "Lost" });
  control.raise(identity, { code: "link/duplicate-node", key: "boot", message: "Two" });
  await bench.restart();
  await bench.services.nodes.remove(system, ref("gw-alarm"), "*");
  const active = (await bench.services.alarms.list(system, tenant, { active: true })).items;
  assert.deepEqual(
    active.filter(({ node }) => node === "gw-alarm" || node === "gw-alarm2").map(({ code, node }) => [code, node]),
    [["ingest/gap", "gw-alarm2"]],
  );
});
