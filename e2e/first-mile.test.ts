import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { MemoryUnit, ModbusServer, type RequestHook } from "@penstock/testkit";
import { connectAsync } from "mqtt";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

/*
 * What goes wrong in the first mile of other edge systems, each as a test that it does not here. Counted is on the
 * device's side of the wire: at a Modbus server that shares no code with the mapper.
 */
const bench = new TestBench();
const servers: ModbusServer[] = [];
let cloud: CloudProcess;
let edge: EdgeProcess;
before(async () => {
  cloud = await bench.startCloud();
  edge = await bench.startEdge(cloud, "gw-01");
});
after(async () => {
  await bench.close();
  await Promise.all(servers.map((server) => server.close()));
});

interface Plant {
  readonly server: ModbusServer;
  readonly unit: MemoryUnit;
  /** registers that were written, in order, as "start=values" */
  readonly writes: string[];
  /** "read 0+3" and the like, in order */
  readonly reads: string[];
}
/** A device with 32 registers that notes every request before it answers; `hook` may answer otherwise. */
async function startPlant(hook: RequestHook = () => null, port = 0): Promise<Plant> {
  const unit = new MemoryUnit({ holding: 32 });
  const writes: string[] = [];
  const reads: string[] = [];
  const server = await ModbusServer.listen({
    ...{ units: new Map([[1, unit]]), port },
    hook: (asked) => {
      const { request } = asked;
      if (request?.kind === "read-registers") reads.push(`read ${request.start}+${request.count}`);
      else if (request?.kind === "write-registers") writes.push(`${request.start}=${[...request.words]}`);
      return hook(asked);
    },
  });
  servers.push(server);
  return { server, unit, writes, reads };
}
type Property = Readonly<Record<string, unknown>>;
const register = (offset: number, more: Property = {}): Property => ({
  ...{ type: "uint16", access: "readWrite", collect: { every: "200ms" } },
  ...{ visitor: { table: "holding", offset, raw: "uint16" }, ...more },
});
async function describe(name: string, port: number, properties: Readonly<Record<string, Property>>): Promise<void> {
  const line = { timeout: "1s", backOff: { first: "200ms", longest: "500ms" } };
  const connection = { protocol: "modbus", settings: { host: "127.0.0.1", port }, line };
  const spec = { node: "gw-01", connection, address: { unitId: 1 }, properties };
  const applied = await bench.run(["apply", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name }, spec }),
  });
  assert.equal(applied.code, 0, applied.stderr);
}
const params = (device: string) => ({ tenant: "default", device });
async function reported(device: string, property: string) {
  const { properties } = await cloud.client.twins.get({ params: params(device) });
  return properties.find((one) => one.property === property)?.reported ?? null;
}
const goodValue = (device: string, property: string, withinMs?: number) =>
  eventually(
    `a good value of ${device}.${property}`,
    async () => {
      const found = await reported(device, property);
      return found?.quality === "good" && found;
    },
    withinMs,
  );
const set = (device: string, property: string, value: number) =>
  cloud.client.twins.setDesired({
    params: { ...params(device), property },
    body: { value },
    query: { wait: "10s" },
  });

test("a read never writes, and an edit of a device rewrites nothing that did not change", async () => {
  const { server, writes } = await startPlant();
  await describe("press", server.port, { speed: register(0), force: register(1), idle: register(2) });
  await goodValue("press", "force");
  assert.equal((await set("press", "speed", 42)).state, "confirmed");
  assert.equal((await set("press", "force", 7)).state, "confirmed");
  assert.deepEqual(writes, ["0=42", "1=7"]);

  for (let i = 0; i < 3; i++) {
    await cloud.client.twins.get({ params: params("press") });
    await cloud.client.devices.get({ params: { tenant: "default", name: "press" } });
    await cloud.client.twins.getDesired({ params: { ...params("press"), property: "speed" } });
    const query = { from: "-1m", to: "now" };
    await cloud.client.series.query({ params: { ...params("press"), property: "idle" }, query });
  }

  // Another property, another cycle, and a name: the device goes on with what it holds.
  const edited = { speed: register(0, { displayName: "Speed" }), force: register(1, { collect: { every: "250ms" } }) };
  await describe("press", server.port, { ...edited, idle: register(2), level: register(5) });
  await goodValue("press", "level");
  assert.equal((await set("press", "idle", 3)).state, "confirmed", "whatever the edit had sent has gone before this");
  assert.deepEqual(writes, ["0=42", "1=7", "2=3"]);
});

test("a value outside its range is refused before anything reaches the device, and says field, value and rule", async () => {
  const { server, writes } = await startPlant();
  await describe("valve", server.port, { level: register(0, { minimum: 10, maximum: 90 }) });
  await goodValue("valve", "level");
  const refused = await bench.run(["set", "valve", "level", "91"]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /91/);
  assert.match(refused.stderr, /90/);
  assert.equal((await set("valve", "level", 90)).state, "confirmed", "read back from the device");
  assert.deepEqual(writes, ["0=90"]);
});

test("a device that is unreachable at its start comes alive later, by itself", async () => {
  const gone = await startPlant();
  const { port } = gone.server;
  await gone.server.close();
  await describe("late", port, { level: register(0) });
  await eventually("its failure", async () => (await reported("late", "level"))?.quality === "bad");
  const status = await cloud.client.devices.get({ params: { tenant: "default", name: "late" } });
  assert.notEqual(status.status?.state, "online");
  const { unit } = await startPlant(() => null, port);
  unit.holding[0] = 5;
  assert.equal((await goodValue("late", "level")).value, 5);
});

test("a property whose first write fails is collected all the same", async () => {
  const { server, writes } = await startPlant(({ request }) =>
    request?.kind === "write-registers" ? { kind: "exception", exception: "deviceFailure" } : null,
  );
  await describe("stuck", server.port, { speed: register(0) });
  await eventually("the device", async () => (await reported("stuck", "speed")) !== null);
  const params = { tenant: "default", device: "stuck", property: "speed" };
  await cloud.client.twins.setDesired({ params, body: { value: 5 }, query: { wait: "200ms" } });
  await eventually("a write that fails", () => writes.length > 0);
  const failedAt = Date.now();
  await eventually("a good reading after it", async () => {
    const found = await reported("stuck", "speed");
    return found?.quality === "good" && Date.parse(found.time) > failedAt;
  });
});

test("a slow device does not hold up others: their cycles, their writes, and changes to them", async () => {
  const slow = await startPlant(() => ({ kind: "delay", delayMs: 900 }));
  const quick = await startPlant();
  await describe("slow", slow.server.port, { level: register(0) });
  await describe("quick", quick.server.port, { level: register(0) });
  await goodValue("quick", "level");
  await goodValue("slow", "level");
  const before = quick.reads.length;
  const asked = performance.now();
  assert.equal((await set("quick", "level", 9)).state, "confirmed");
  const tookMs = performance.now() - asked;
  assert.ok(tookMs < 900, `a set took ${Math.round(tookMs)} ms`);
  await describe("quick", quick.server.port, { level: register(0), more: register(1) });
  await goodValue("quick", "more");
  assert.ok(quick.reads.length - before >= 3);
  assert.ok(slow.reads.length <= quick.reads.length / 2);
});

test("a failed read is a bad reading with its reason, never the last good value as if it were the present one", async () => {
  let fails = false;
  const { server } = await startPlant(() => (fails ? { kind: "exception", exception: "deviceFailure" } : null));
  await describe("moody", server.port, { level: register(0) });
  await goodValue("moody", "level");
  fails = true;
  const bad = await eventually("the bad reading", async () => {
    const found = await reported("moody", "level");
    return found?.quality === "bad" && found;
  });
  assert.deepEqual([bad.value, bad.reason], [null, "mapper/device-failure"]);
});

test("one poll a cycle however many consumers, neighbours in one request; the cloud gets what its policy says, the edge all", async () => {
  const { server, unit, reads } = await startPlant();
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the words of a topic pattern
  const published = { publish: { topic: "plant/${device}/${property}", qos: 0 } };
  const mqtt = await connectAsync(edge.mqttAddress);
  let messages = 0;
  mqtt.on("message", () => messages++);
  await mqtt.subscribeAsync("plant/#");
  await describe("meter", server.port, {
    level: register(0, {
      ...published,
      collect: { every: "100ms" },
      report: { onChange: { deadband: { absolute: 5 } } },
    }),
    total: register(1, {
      collect: { every: "100ms" },
      visitor: { table: "holding", offset: 1, raw: "uint16", scale: 0.1 },
      type: "float64",
    }),
    count: register(2, { collect: { every: "100ms" }, type: "int64" }),
  });
  unit.holding.set([0, 215, 3]);
  await goodValue("meter", "total");
  await eventually("the first messages", () => messages > 3);
  const stop = new AbortController();
  const stream = cloud.client.live.stream({
    params: { tenant: "default" },
    query: { device: ["meter"] },
    signal: stop.signal,
  });
  await stream.next();
  const [readsBefore, messagesBefore] = [reads.length, messages];
  const from = performance.now();
  const levels = [2, 4, 5, 20, 21, 22, 24, 16, 0, 3];
  for (const level of levels) {
    unit.holding[0] = level;
    const seen = messages + 2;
    await eventually("two more messages", () => messages >= seen);
  }
  const cycles = (performance.now() - from) / 100;
  stop.abort();
  await mqtt.endAsync();
  assert.ok(reads.length - readsBefore <= cycles + 2, `${reads.length - readsBefore} requests in ${cycles} cycles`);
  assert.deepEqual(new Set(reads.slice(readsBefore)), new Set(["read 0+3"]));
  assert.ok(messages - messagesBefore >= 2 * levels.length, "every reading at the edge");
  assert.deepEqual([(await goodValue("meter", "total")).value, (await goodValue("meter", "count")).value], [21.5, "3"]);
  await eventually("the last change", async () => (await reported("meter", "level"))?.value === 0);
  const { points } = await cloud.client.series.query({
    params: { ...params("meter"), property: "level" },
    query: { from: "-5m", to: "now" },
  });
  assert.deepEqual(
    points.filter(({ quality }) => quality === "good").map(({ value }) => value),
    [0, 20, 0],
  );
});

// A sink that connects for each value costs the bus more than the value, and a client that is global has one owner: the last.
test("many properties of many devices go out at once, each to its own topics, as typed JSON and in KubeEdge's form, over connections that stay", async () => {
  const [one, two] = [await startPlant(), await startPlant()];
  one.unit.holding.set([7, 215, 1]);
  two.unit.holding.set([8, 216, 0]);
  const line = (topic: string, offset: number, more: Property = {}) =>
    register(offset, { access: "read", publish: { topic, qos: 0 }, collect: { every: "100ms" }, ...more });
  const scaled = { type: "float64", visitor: { table: "holding", offset: 1, raw: "uint16", scale: 0.1 } };
  const properties = (of: string) => ({
    count: line(`many/${of}/count`, 0, { type: "int64" }),
    warmth: line(`many/${of}/warmth`, 1, scaled),
    on: line(`many/${of}/count`, 2, { type: "bool" }),
  });
  const mqtt = await connectAsync(edge.mqttAddress);
  let connects = 1;
  mqtt.on("connect", () => connects++);
  const got = new Map<string, string[]>();
  mqtt.on("message", (topic, payload) => {
    // Of the devices of other tests nothing is asked here.
    const list = got.get(topic) ?? [];
    list.push(payload.toString());
    got.set(topic, list);
  });
  for (const device of ["many-1", "many-2"]) {
    await mqtt.subscribeAsync([
      `many/${device}/#`,
      `penstock/default/${device}/data`,
      `$ke/events/device/default/${device}/data/update`,
    ]);
  }
  await describe("many-1", one.server.port, properties("many-1"));
  await describe("many-2", two.server.port, properties("many-2"));
  await eventually("20 messages of each", () =>
    ["many-1", "many-2"].every((device) =>
      [`many/${device}/count`, `many/${device}/warmth`, `penstock/default/${device}/data`].every(
        (topic) => (got.get(topic)?.length ?? 0) >= 20,
      ),
    ),
  );
  await mqtt.endAsync();
  assert.deepEqual([...got.keys()].length, 8);
  const newest = (topic: string) => JSON.parse(got.get(topic)!.at(-1)!) as { values: unknown; time: string };
  for (const [device, count, warmth, on] of [
    ["many-1", "7", 21.5, true],
    ["many-2", "8", 21.6, false],
  ] as const) {
    assert.deepEqual(newest(`penstock/default/${device}/data`).values, { count, warmth, on });
    assert.deepEqual(newest(`many/${device}/count`).values, { count, on });
    const { values, time } = newest(`many/${device}/warmth`);
    assert.deepEqual(values, { warmth });
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
    const theirs = got.get(`$ke/events/device/default/${device}/data/update`)!.at(-1)!;
    const { data } = JSON.parse(theirs) as { data: Record<string, { value: string; metadata: { type: string } }> };
    assert.deepEqual(
      new Map(Object.entries(data).map(([name, { value, metadata }]) => [name, [value, metadata.type]])),
      new Map([
        ["count", [count, "INT"]],
        ["warmth", [String(warmth), "DOUBLE"]],
        ["on", [String(on), "BOOLEAN"]],
      ]),
    );
  }
  assert.equal(connects, 1, "one connection of the application for all messages");
  assert.ok(one.reads.length >= 20);
  assert.equal(one.server.stats.connections, 1, "one connection to the device for all readings");
});

test("an application that reads nothing, goes away or breaks the protocol stops nobody, and gets values again when it comes back", async () => {
  const { server, unit } = await startPlant();
  await describe("shared", server.port, { level: register(0, { collect: { every: "100ms" } }) });
  const topic = "penstock/default/shared/data";
  const url = new URL(edge.mqttAddress);
  const good = await connectAsync(edge.mqttAddress);
  let seen = 0;
  let newest: unknown;
  good.on("message", (_, payload) => {
    seen++;
    newest = (JSON.parse(payload.toString()) as { values: { level: number } }).values.level;
  });
  await good.subscribeAsync(topic);
  const deaf = await connectAsync(edge.mqttAddress);
  await deaf.subscribeAsync("#");
  (deaf.stream as Socket).pause();
  const gone = await connectAsync(edge.mqttAddress, { clientId: "gone" });
  await gone.subscribeAsync(topic);
  (gone.stream as Socket).destroy();
  const broken = connect(Number(url.port), url.hostname);
  broken.on("error", () => {});
  broken.write(Buffer.from("POST / HTTP/1.1\r\n\r\n"));
  const from = seen;
  unit.holding[0] = 11;
  await eventually("ten more messages", () => seen >= from + 10);
  await eventually("the new value", () => newest === 11);
  // The same application again: the first failure was not its last.
  await eventually("its connection", () => gone.connected);
  const back = await connectAsync(edge.mqttAddress, { clientId: "back" });
  const again = new Promise((resolve) => back.once("message", resolve));
  await back.subscribeAsync(topic);
  await again;
  broken.destroy();
  deaf.stream.destroy();
  await Promise.all([good.endAsync(), deaf.endAsync(true), gone.endAsync(true), back.endAsync()]);
});

// Charts draw numbers: a store of texts has none.
test("numbers are numbers in the store: raw, as means, and in what applications get", async () => {
  const { server, unit } = await startPlant();
  unit.holding.set([215, 0, 3]);
  const every = { collect: { every: "100ms" }, access: "read" };
  await describe("chart", server.port, {
    warmth: register(0, {
      ...every,
      type: "float64",
      visitor: { table: "holding", offset: 0, raw: "uint16", scale: 0.1 },
    }),
    steps: register(2, every),
  });
  await goodValue("chart", "warmth");
  unit.holding[0] = 225;
  await eventually("the change", async () => (await reported("chart", "warmth"))?.value === 22.5);
  const query = async (property: string, more: object = {}) => {
    const found = await cloud.client.series.query({
      params: { ...params("chart"), property },
      query: { from: "-5m", to: "now", ...more },
    });
    return found.points.map(({ value }) => value).filter((value) => value !== null);
  };
  const raw = await eventually("both in the store", async () => {
    const values = await query("warmth");
    return values.includes(22.5) && values;
  });
  assert.deepEqual([...new Set(raw)], [21.5, 22.5]);
  assert.deepEqual([...new Set(await query("steps"))], [3]);
  const means = await query("warmth", { aggregate: "mean", points: 1 });
  assert.ok(means.length > 0 && means.every((mean) => typeof mean === "number" && mean >= 21.5 && mean <= 22.5));
  assert.deepEqual(await query("warmth", { aggregate: "max", points: 1 }), [22.5]);
});

test("names and texts with quotes, percent signs and separators are data: in addresses, filters, tables, the store and the device", async () => {
  const nasty = `'; DROP TABLE "resources";-- 100% \\ \${device} \u00e4`;
  const { server, unit } = await startPlant();
  const note = {
    ...{ type: "string", access: "readWrite", collect: { every: "200ms" }, displayName: nasty },
    visitor: { table: "holding", offset: 0, length: 32, raw: "string" },
  };
  await describe("quoted", server.port, { note });
  const at = { tenant: "default", name: "quoted" };
  await cloud.client.devices.patch({
    params: at,
    body: { metadata: { displayName: nasty }, spec: { description: nasty } },
    ifMatch: "*",
  });
  await goodValue("quoted", "note");
  const wrote = await bench.run(["set", "quoted", "note", nasty]);
  assert.equal(wrote.code, 0, wrote.stderr);
  await eventually("the text in the device", () =>
    Buffer.from([...unit.holding].flatMap((word) => [word >> 8, word & 255]))
      .toString("utf8")
      .startsWith(nasty),
  );
  await eventually("the text in the cloud", async () => (await reported("quoted", "note"))?.value === nasty);
  const { points } = await cloud.client.series.query({
    params: { ...params("quoted"), property: "note" },
    query: { from: "-5m", to: "now" },
  });
  assert.equal(points.at(-1)!.value, nasty);
  const stored = await cloud.client.devices.get({ params: at });
  assert.deepEqual(
    [stored.metadata.displayName, stored.spec.description, stored.spec.properties?.note?.displayName],
    [nasty, nasty, nasty],
  );

  const table = join(bench.folder, "quoted.csv");
  const out = await bench.run(["export", "devices", "--to", table]);
  assert.equal(out.code, 0, out.stderr);
  const files = ["devices", "properties"].map((sheet) => table.replace(/csv$/, `${sheet}.csv`));
  const back = await bench.run(["import", ...files]);
  assert.equal(back.code, 0, back.stderr);
  assert.match(back.stdout, /^0 created, 0 changed, 0 deleted/m);

  // What is no name is refused as one, or names nothing; the devices are there all the same.
  const count = async () =>
    (await cloud.client.devices.list({ params: { tenant: "default" }, query: { limit: 1000 } })).items.length;
  const before = await count();
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${cloud.localAddress}/api/v1/tenants/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${cloud.token}`, ...init.headers },
    });
  const odd = encodeURIComponent(nasty);
  for (const path of [
    `default/devices/${odd}`,
    `default/devices/quoted/properties/${odd}/series`,
    `default/devices/quoted%27--/twin`,
    `default/devices/%25/twin`,
    `default/devices/..%2Fquoted`,
    `default%27/devices`,
    `${odd}/devices`,
    `default/devices?labels=${odd}`,
    `default/devices?labels=${encodeURIComponent(`line='x' OR '1'='1'`)}`,
    `default/devices?cursor=${odd}`,
    `default/devices/quoted/properties/note/series?from=${odd}`,
    `default/live?device=${odd}`,
  ]) {
    const { status } = await ask(path, { signal: AbortSignal.timeout(10_000) });
    assert.ok(status >= 400 && status < 500, `${path} ${status}`);
  }
  const gone = await ask(`default/devices/${odd}`, { method: "DELETE", headers: { "if-match": "*" } });
  assert.ok(gone.status >= 400 && gone.status < 500, `${gone.status}`);
  assert.equal(await count(), before);
});

test("how cycles and lines really run is told to the cloud", async () => {
  const found = await eventually("measured cycles", async () => {
    const { status } = await cloud.client.devices.get({ params: { tenant: "default", name: "quick" } });
    return status?.cycles.some((cycle) => cycle.measuredMs !== null) && status;
  });
  assert.equal(found.state, "online");
  const [cycle] = found.cycles;
  assert.ok(cycle!.measuredMs! > 150 && cycle!.measuredMs! < 400, `${cycle!.measuredMs}`);
});
