import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import {
  AppError,
  batchFromSamples,
  type DesiredReport,
  type DeviceUid,
  type Epoch,
  type ErrorCode,
  type Layout,
  type Micros,
  type NodeIdentity,
  type NodeUid,
  type Sample,
  type TenantUid,
} from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test-bench.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

const tenant = "default";
const ref = (name: string) => ({ tenant, name });
function refuses(code: ErrorCode, about?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code, error.message);
    if (about !== undefined) assert.match(error.message, about);
    return true;
  };
}
const speed = {
  type: "int64",
  access: "readWrite",
  minimum: 0,
  maximum: "9007199254740993",
  visitor: { table: "holding", offset: 1 },
};
const temperature = { type: "float64", unit: "Cel", visitor: { table: "holding", offset: 0 } };

async function plant(suffix: string) {
  const { services } = bench;
  const [node, bus, device] = [`gw-${suffix}`, `bus-${suffix}`, `conveyor-${suffix}`];
  await services.nodes.create(system, ref(node), { metadata: { name: node }, spec: {} });
  await services.connections.create(system, ref(bus), {
    metadata: { name: bus },
    spec: { node, protocol: "modbus", settings: { host: "127.0.0.1" } },
  });
  const made = await services.devices.create(system, ref(device), {
    metadata: { name: device },
    spec: { node, connection: bus, address: { unitId: 1 }, properties: { speed, temperature } },
  });
  const nodeUid = (await services.nodes.get(system, ref(node))).metadata.uid as NodeUid;
  const tenantUid = (await services.tenants.get(system, { tenant: "", name: tenant })).metadata.uid as TenantUid;
  const identity: NodeIdentity = { tenant: tenantUid, node: nodeUid };
  return { node, bus, device, identity, uid: made.metadata.uid as DeviceUid, etag: made.metadata.resourceVersion };
}
function report(
  uid: DeviceUid,
  version: number,
  state: DesiredReport["state"],
  value: bigint | null = null,
): DesiredReport {
  const time = bench.clock.now();
  return { device: uid, property: "speed", version, state, reason: null, message: null, value, type: "int64", time };
}

test("services.start() makes the default tenant and one administrator, once", async () => {
  assert.equal(bench.first?.user, "admin");
  assert.ok(bench.first.password.length >= 20);
  assert.equal((await bench.services.tenants.list(system, "", {})).items.length, 1);
  await bench.restart();
  assert.equal(bench.first, null);
});

test("devices.create() names field, value and rule of everything the schema cannot say, and stores nothing", async () => {
  const { node, bus } = await plant("a");
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
  const one = await plant("b1");
  const two = await plant("b2");
  const spec = { node: one.node, connection: two.bus };
  await assert.rejects(
    bench.services.devices.create(system, ref("bad"), { metadata: { name: "bad" }, spec }),
    refuses("input/invalid", /at the device's node "gw-b1", but is at "gw-b2"/),
  );
});

test("devices.update() needs the present ETag, and changes nothing when nothing changed", async () => {
  const { device, etag } = await plant("c");
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
  assert.equal(changed.spec.properties?.["temperature"]?.unit, "K");
});

test("remove() of what is in use names who uses it", async () => {
  const { node, bus, device } = await plant("d");
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
  const { node, bus, device, identity, uid } = await plant("e");
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
  assert.equal(meter.properties[0]?.collectEveryMs, 250);
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

test("desired.set() refuses unknown, read-only, wrong type and out of range, and stores nothing", async () => {
  const { device } = await plant("f");
  const { services } = bench;
  const set = (property: string, value: unknown) =>
    services.desired.set(system, { tenant, device, property }, { value });
  await assert.rejects(set("nope", 1), refuses("twin/unknown-property", /speed, temperature/));
  await assert.rejects(set("temperature", 1), refuses("twin/read-only"));
  await assert.rejects(set("speed", true), refuses("twin/wrong-type"));
  await assert.rejects(set("speed", "9007199254740994"), refuses("twin/out-of-range"));
  await assert.rejects(set("speed", "-1"), refuses("twin/out-of-range"));
  await assert.rejects(
    services.desired.get(system, { tenant, device, property: "speed" }),
    refuses("resource/not-found"),
  );
});

test("desired.set() with a wait answers the outcome, exact beyond 2^53", async () => {
  const { device, identity, uid } = await plant("g");
  const { services, nudges } = bench;
  const property = { tenant, device, property: "speed" };
  const waiting = services.desired.set(system, property, { value: "9007199254740993", wait: "10s" });
  const pending = await untilPending(identity);
  assert.equal(pending[0]?.value, 9007199254740993n);
  assert.equal(pending[0]?.ttlMs, 60_000);
  await services.control.desiredTaken(identity, [{ device: uid, property: "speed", version: 1 }]);
  assert.equal((await services.control.pendingDesired(identity)).length, 0);
  await services.control.takeReports(identity, [
    report(uid, 1, "written"),
    report(uid, 1, "confirmed", 9007199254740993n),
  ]);
  const { view, isSettled } = await waiting;
  assert.equal(isSettled, true);
  assert.equal(view.state, "confirmed");
  assert.equal(view.readBack, "9007199254740993");
  assert.ok(nudges.includes(`desired ${identity.node}`));
});

async function untilPending(identity: NodeIdentity) {
  for (;;) {
    const pending = await bench.services.control.pendingDesired(identity);
    if (pending.length > 0) return pending;
  }
}

test("desired.set() supersedes the version before it, and no late report brings that back", async () => {
  const { device, identity, uid } = await plant("h");
  const { services } = bench;
  const property = { tenant, device, property: "speed" };
  const first = services.desired.set(system, property, { value: "1", wait: "10s" });
  const firstEnds = assert.rejects(first, refuses("twin/superseded"));
  await untilPending(identity);
  await services.desired.set(system, property, { value: "2" });
  await firstEnds;
  await services.control.takeReports(identity, [report(uid, 1, "confirmed", 1n)]);
  assert.deepEqual(await state(property), [2, "pending"]);
  await services.control.takeReports(identity, [report(uid, 2, "confirmed", 2n), report(uid, 2, "written")]);
  assert.deepEqual(await state(property), [2, "confirmed"]);
});

async function state(property: { tenant: string; device: string; property: string }) {
  const view = await bench.services.desired.get(system, property);
  return [view.version, view.state];
}

test("a desired value expires by the clock, also when the process was restarted meanwhile", async () => {
  const { device } = await plant("i");
  const property = { tenant, device, property: "speed" };
  const { view, isSettled } = await bench.services.desired.set(system, property, { value: "1", ttl: "5s" });
  assert.equal(isSettled, false);
  assert.match(view.message ?? "", /Gateway "gw-i" is not connected/);
  await bench.restart();
  assert.deepEqual(await state(property), [1, "pending"]);
  const expired = new Promise<void>((resolve) => {
    bench.services.desired.onChange((change) => {
      if (change.view.device === device) resolve();
    });
  });
  bench.clock.move(5001);
  await expired;
  assert.deepEqual(await state(property), [1, "expired"]);
});

test("desired.set() with the same Idempotency-Key sets once; another value under it is refused", async () => {
  const { device } = await plant("j");
  const property = { tenant, device, property: "speed" };
  await bench.services.desired.set(system, property, { value: "7", idempotencyKey: "k1" });
  const again = await bench.services.desired.set(system, property, { value: "7", idempotencyKey: "k1" });
  assert.equal(again.view.version, 1);
  await assert.rejects(
    bench.services.desired.set(system, property, { value: "8", idempotencyKey: "k1" }),
    refuses("request/key-reused"),
  );
  bench.clock.move(24 * 3600 * 1000 + 1);
  const later = await bench.services.desired.set(system, property, { value: "8", idempotencyKey: "k1" });
  assert.equal(later.view.version, 2);
});

function committed(identity: NodeIdentity, layout: Layout, at: { time: Micros; value: number; seq: number }) {
  const sample: Sample = { property: "temperature", time: at.time, value: at.value, quality: "good", reason: null };
  const { batch } = batchFromSamples({ layout, samples: [sample] });
  return { ...identity, epoch: "e" as Epoch, firstSeq: at.seq, layout, batch };
}

test("a last value moves only forward, also when the store knows better than the first commit after a start", async () => {
  const { device, identity, uid } = await plant("k");
  const now = bench.clock.now();
  const at = (seconds: number) => (now + seconds * 1e6) as Micros;
  const layout: Layout = { id: 1, device: uid, properties: [{ name: "temperature", type: "float64" }] };
  const stored = { device: uid, property: "temperature", type: "float64", time: at(10), value: 10 } as const;
  bench.series.readings.push({ ...stored, quality: "good", reason: null });
  const shown = async () => {
    const twin = await bench.services.twins.get(system, { tenant, device });
    return twin.properties.find((one) => one.property === "temperature")?.reported?.value;
  };
  bench.services.onCommitted(committed(identity, layout, { time: at(5), value: 5, seq: 1 }));
  assert.equal(await shown(), 10);
  bench.services.onCommitted(committed(identity, layout, { time: at(20), value: 20, seq: 2 }));
  bench.services.onCommitted(committed(identity, layout, { time: at(15), value: 15, seq: 3 }));
  assert.equal(await shown(), 20);
});

test("live.subscribe() gives last values first, then news; a slow reader loses the oldest and is told", async () => {
  const { device, identity, uid } = await plant("l");
  const now = bench.clock.now();
  const layout: Layout = { id: 1, device: uid, properties: [{ name: "temperature", type: "float64" }] };
  const commit = (seq: number) =>
    bench.services.onCommitted(committed(identity, layout, { time: (now + seq) as Micros, value: seq, seq }));
  commit(1);
  const stop = new AbortController();
  const events = (
    await bench.services.live.subscribe(system, tenant, { devices: [device], properties: [] }, stop.signal)
  )[Symbol.asyncIterator]();
  const next = async () => (await events.next()).value;
  const value = (event: unknown) => (event as { data: { readings: { value: unknown }[] } }).data.readings[0]?.value;
  assert.equal(value(await next()), 1);
  commit(2);
  assert.equal(value(await next()), 2);
  for (let seq = 3; seq < 1103; seq++) commit(seq);
  await new Promise((resolve) => setImmediate(resolve));
  const dropped = await next();
  assert.deepEqual(dropped, { event: "dropped", data: { events: 100 } });
  assert.equal(value(await next()), 103);
  stop.abort();
  assert.equal(bench.services.live.streams, 0);
});

const pem = () =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "pem", type: "spki" }).toString();

test("a join token works once, for its node, and again only for the same key", async () => {
  const { services } = bench;
  const made = await services.joinTokens.create(system, tenant, { node: "gw-join" });
  const publicKey = pem();
  const joined = await services.joinTokens.join({ secret: made.token, publicKey, remote: "r" });
  assert.equal(joined.node.name, "gw-join");
  assert.match(joined.certificate, /BEGIN CERTIFICATE/);
  await services.joinTokens.join({ secret: made.secret, publicKey, remote: "r" });
  await assert.rejects(
    services.joinTokens.join({ secret: made.secret, publicKey: pem(), remote: "r" }),
    refuses("join/token-invalid"),
  );
  const listed = (await services.joinTokens.list(system, tenant)).items;
  assert.equal(JSON.stringify(listed).includes(made.secret), false);
  assert.equal((await services.nodes.get(system, ref("gw-join"))).status.joined, true);
});

test("a join token that expired or was revoked is worth nothing, nor is a key of another kind", async () => {
  const { services, clock } = bench;
  const late = await services.joinTokens.create(system, tenant, { node: "gw-join2", ttl: "1m" });
  const revoked = await services.joinTokens.create(system, tenant, { node: "gw-join2", ttl: "1h" });
  await services.joinTokens.remove(system, tenant, revoked.id);
  clock.move(60_001);
  for (const { secret } of [late, revoked]) {
    await assert.rejects(
      services.joinTokens.join({ secret, publicKey: pem(), remote: "x" }),
      refuses("join/token-invalid"),
    );
  }
  const good = await services.joinTokens.create(system, tenant, { node: "gw-join2" });
  const rsa = generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" }).toString();
  await assert.rejects(
    services.joinTokens.join({ secret: good.secret, publicKey: rsa, remote: "x" }),
    refuses("input/invalid", /publicKey/),
  );
  await services.joinTokens.join({ secret: good.secret, publicKey: pem(), remote: "x" });
});

test("control.authorize() refuses another tenant's node, a deleted node and a certificate replaced by a new join", async () => {
  const { services, context } = bench;
  const fingerprints = async () =>
    (await context.db.selectFrom("node_certificates").select("fingerprint").orderBy("issued_at").execute()).map(
      (row) => row.fingerprint,
    );
  const before = new Set(await fingerprints());
  const join = async () => {
    bench.clock.move(1000);
    const { secret } = await services.joinTokens.create(system, tenant, { node: "gw-auth" });
    const joined = await services.joinTokens.join({ secret, publicKey: pem(), remote: "y" });
    return { tenant: joined.tenant.uid as TenantUid, node: joined.node.uid as NodeUid };
  };
  const identity = await join();
  await join();
  const [old, fresh] = (await fingerprints()).filter((one) => !before.has(one));
  await services.control.authorize(identity, fresh!);
  await assert.rejects(services.control.authorize(identity, old!), refuses("link/not-authorized"));
  const other = { ...identity, tenant: "0".repeat(32) as TenantUid };
  await assert.rejects(services.control.authorize(other, fresh!), refuses("link/not-authorized"));
  await services.nodes.remove(system, ref("gw-auth"), "*");
  await assert.rejects(services.control.authorize(identity, fresh!), refuses("link/not-authorized"));
  assert.ok(bench.nudges.includes(`disconnect ${identity.node} link/not-authorized`));
});

test("alarms count up until cleared, then are raised anew; a full outbox raises one", async () => {
  const { identity } = await plant("m");
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
