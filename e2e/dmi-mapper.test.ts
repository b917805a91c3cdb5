import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { needs } from "@penstock/testkit";
import { Foreign, type Said } from "./dmi/foreign.ts";
import { type CloudProcess, eventually, TestBench } from "./support/penstock.ts";

// A mapper as KubeEdge's framework makes them, in Python, with code that protoc made of a proto of the test's own: what both
// our ends would get wrong in the same way shows here.

const needed = needs("python3-grpcio", "python3-grpc-tools");
const bench = new TestBench();
const foreign: Foreign[] = [];
after(async () => {
  for (const one of foreign) await one.kill();
  await bench.close();
});

const socket = join(bench.folder, "dmi.sock");
let cloud: CloudProcess;
let edge: { readonly process: { readonly pid: number | null } };
before(async () => {
  cloud = await bench.startCloud();
  edge = await bench.startEdge(cloud, "gw-01", { args: ["--dmi-socket", socket] });
});

let sockets = 0;
function mapper(name: string, protocol: string): Foreign {
  const one = new Foreign("mapper.py", socket, join(bench.folder, `m${++sockets}.sock`), name, protocol);
  foreign.push(one);
  return one;
}
async function apply(name: string, spec: object): Promise<void> {
  const document = { kind: "Device", metadata: { name }, spec: { node: "gw-01", ...spec } };
  const applied = await eventually(`${name} to be taken`, async () => {
    const outcome = await bench.run(["apply", "-f", "-"], { input: JSON.stringify(document) });
    return outcome.code === 0 ? outcome : null;
  });
  assert.equal(applied.code, 0, applied.stderr);
}
async function reported(device: string, property: string) {
  const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device } });
  return properties.find((one) => one.property === property)?.reported ?? null;
}

function cpuSeconds(pid: number | null): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100; // clock ticks. proc(5): utime and stime
}

function rssMegabytes(pid: number | null): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);
}

/** good readings in the store */
async function counted(device: string, property: string): Promise<number> {
  const { points } = await cloud.client.series.query({
    params: { tenant: "default", device, property },
    query: { from: "-15m", to: "now", points: 1, aggregate: "count" },
  });
  return points.reduce((sum, { value }) => sum + Number(value ?? 0), 0);
}

const lathe = {
  connection: { protocol: "acme-bus", settings: { host: "10.0.0.7", port: 5020, ratio: 0.1, loud: true } },
  address: { unit: 16_777_217 },
  custom: { serial: "A-1", nested: { a: [1, 2] } },
  properties: {
    t: {
      type: "float64",
      unit: "Cel",
      minimum: -5,
      maximum: 90,
      visitor: { register: 7 },
      collect: { every: "250ms" },
    },
    n: { type: "int64", visitor: { register: 9 }, collect: { every: "250ms" } },
    on: { type: "bool", visitor: { register: 11 }, collect: { every: "250ms" } },
    target: { type: "int32", access: "readWrite", visitor: { register: 8 }, collect: { every: "1s" } },
  },
};

let first: Foreign;
test(
  "a mapper in another language registers, and is told its devices and models as the interface has them",
  needed,
  async () => {
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    const before = rssMegabytes(edge.process.pid);
    first = mapper("acme", "Acme Bus");
    const answer = await first.next({ registered: "acme" });
    console.log(`the gateway: ${before} MB before the first DMI mapper, ${rssMegabytes(edge.process.pid)} MB after`);
    assert.ok(Number(answer.took) < 1, `took ${answer.took} s`);
    assert.deepEqual(answer.devices, []);
    await first.next({ listening: join(bench.folder, "m1.sock") });
    await apply("lathe", lathe);
    const model = await first.next({ call: "CreateDeviceModel" });
    assert.deepEqual(model.properties, {
      t: ["DOUBLE", "ReadOnly", "-5", "90", "Cel"],
      n: ["INT", "ReadOnly", "", "", ""],
      on: ["BOOLEAN", "ReadOnly", "", "", ""],
      // Told as writable only when a value is wanted: else the mapper would write an empty one.
      target: ["INT", "ReadOnly", "", "", ""],
    });
    const { device } = await first.next({ call: "RegisterDevice" });
    const { properties, ...rest } = device as { properties: Record<string, Said> };
    assert.deepEqual(rest, {
      ...{ name: "lathe", namespace: "default", model: "lathe", protocol: "Acme Bus", filled: true, methods: {} },
      config: {
        ...{ host: { StringValue: "10.0.0.7" }, port: { Int64Value: 5020 }, loud: { BoolValue: true } },
        ...{ ratio: { FloatValue: 0.10000000149011612 }, unit: { Int64Value: 16_777_217 } },
        ...{ serial: { StringValue: "A-1" }, nested: { StringValue: '{"a":[1,2]}' } },
      },
    });
    assert.deepEqual(properties.t, {
      ...{ desired: "", type: "DOUBLE", collect: 250, report: 250, toCloud: true },
      visitor: { register: { Int64Value: 7 } },
    });
    assert.ok(
      first.said.findIndex((s) => s.call === "CreateDeviceModel") <
        first.said.findIndex((s) => s.call === "RegisterDevice"),
    );
  },
);

test("its texts become typed values with quality, and what it leaves out harms nothing", needed, async () => {
  const stamp = Date.now() - 1500;
  await first.do({
    do: "report",
    device: "lathe",
    values: { t: "21.5", n: "9007199254740993", on: "True" },
    timestamp: stamp,
  });
  await eventually("values", async () => (await reported("lathe", "t"))?.value === 21.5);
  assert.equal((await reported("lathe", "n"))?.value, "9007199254740993");
  assert.equal((await reported("lathe", "on"))?.value, true);
  assert.equal(Date.parse(String((await reported("lathe", "t"))?.time)), stamp);
  await first.do({ do: "report", device: "lathe", values: { t: "warm", other: "1" } });
  const bad = await eventually("the wrong value", async () => {
    const found = await reported("lathe", "t");
    return found?.quality === "bad" ? found : null;
  });
  assert.equal(bad.reason, "mapper/bad-answer");
  assert.equal((await first.do({ do: "bare", device: "lathe" })).error, undefined);
  assert.equal((await first.do({ do: "report", device: "nobody", values: { t: "1" } })).error, "NOT_FOUND");
  assert.equal(
    (await first.do({ do: "report", device: "lathe", namespace: "acme", values: { t: "1" } })).error,
    "NOT_FOUND",
  );
  await first.do({ do: "state", device: "lathe", state: "Disconnected" });
  await eventually(
    "the device to be offline",
    async () => (await reported("lathe", "n"))?.reason === "mapper/device-offline",
  );
  await first.do({ do: "state", device: "lathe", state: "purple" });
  await first.do({ do: "report", device: "lathe", values: { t: "22.5" } });
  await eventually("the device to be back", async () => (await reported("lathe", "t"))?.value === 22.5);
});

test(
  "a set value reaches the device once and is confirmed by its report; an edit tells what changed, and no-ops nothing",
  needed,
  async () => {
    const from = first.said.length;
    const setting = bench.run(["set", "lathe", "target", "42"]);
    const wrote = await first.next({ wrote: "target" }, { from });
    assert.equal(wrote.value, "42");
    await first.do({ do: "current" });
    const set = await setting;
    assert.equal(set.code, 0, set.stderr + set.stdout);
    assert.equal(first.said.slice(from).filter((said) => said.wrote === "target").length, 1);
    assert.deepEqual(
      first.said.slice(from).filter((said) => said.wrote !== undefined && said.wrote !== "target"),
      [],
    );

    const since = first.said.length;
    await apply("lathe", lathe);
    await apply("lathe", { ...lathe, description: "the same to a mapper" });
    await apply("lathe", { ...lathe, address: { unit: 5 } });
    const { device } = await first.next({ call: "UpdateDevice" }, { from: since });
    assert.deepEqual((device as { config: Said }).config.unit, { Int64Value: 5 });
    assert.equal(first.said.slice(since).filter((said) => said.call === "UpdateDevice").length, 1);
  },
);

test("killed and started again, it holds what is true now, and its values are bad until then", needed, async () => {
  await apply("press", {
    connection: { protocol: "acme-bus" },
    properties: { p: { type: "string", collect: { every: "1s" } } },
  });
  await first.next({ call: "RegisterDevice" }, { from: first.said.findIndex((s) => s.call === "UpdateDevice") });
  await first.do({ do: "report", device: "press", values: { p: "hello world %" } });
  await eventually("its value", async () => (await reported("press", "p"))?.value === "hello world %");
  await first.kill();
  const bad = await eventually("a bad value", async () => {
    const found = await reported("press", "p");
    return found?.quality === "bad" ? found : null;
  });
  assert.equal(bad.reason, "mapper/stopped");
  await bench.run(["delete", "device", "press"]);
  await apply("mill", {
    connection: { protocol: "acme-bus", settings: { mapper: "acme" } },
    properties: { p: { type: "string", collect: { every: "1s" } } },
  });
  first = mapper("acme", "Acme Bus");
  const answer = await first.next({ registered: "acme" });
  assert.deepEqual((answer.devices as { name: string }[]).map(({ name }) => name).sort(), ["lathe", "mill"]);
  // What is wanted is known still: a mapper that begins anew brings it back.
  assert.equal(
    (answer.devices as { properties: Record<string, Said> }[]).find((d) => "target" in d.properties)?.properties.target
      ?.desired,
    "42",
  );
  await first.do({ do: "report", device: "mill", values: { p: "up" } });
  await eventually("its values again", async () => (await reported("mill", "p"))?.value === "up");
});

test("two mappers of one protocol are both served, each its own connections", needed, async () => {
  const second = mapper("acme-two", "Acme Bus");
  await second.next({ registered: "acme-two" });
  await second.next({ listening: join(bench.folder, `m${sockets}.sock`) });
  const property = { p: { type: "string", collect: { every: "1s" } } };
  await apply("named", {
    connection: { protocol: "acme-bus", settings: { mapper: "acme-two" } },
    properties: property,
  });
  const { device } = await second.next({ call: "RegisterDevice" });
  assert.ok(device !== undefined);
  const names = () =>
    second.said.filter((s) => s.call === "RegisterDevice").map((s) => (s.device as { name: string }).name);
  await eventually("the named device at the second", async () => names().includes("named"));
  assert.ok(!first.said.some((s) => s.call === "RegisterDevice" && (s.device as { name: string }).name === "named"));
  await second.do({ do: "report", device: "named", values: { p: "two" } });
  await eventually("its value", async () => (await reported("named", "p"))?.value === "two");
  await second.kill();
  await eventually("its connection to be down", async () => (await reported("named", "p"))?.quality === "bad");
  assert.equal((await reported("mill", "p"))?.quality, "good");
});

test("a protocol of an installed mapper is refused, in words", needed, async () => {
  const other = mapper("other", "modbus");
  const refused = await other.next({ refused: "FAILED_PRECONDITION" });
  assert.match(String(refused.details), /installed mapper "modbus"/);
});

test("2,000 calls a second of one value and 5,000 values a second in calls of ten", needed, async () => {
  const names = Array.from({ length: 10 }, (_, i) => `v${i}`);
  const properties = Object.fromEntries(names.map((name) => [name, { type: "int64", collect: { every: "1s" } }]));
  await apply("fast", { connection: { protocol: "acme-bus", settings: { mapper: "acme" } }, properties });
  await eventually("the device to be there", async () => {
    const { error } = await first.do({ do: "report", device: "fast", values: { v0: "0" } });
    return error === undefined;
  });
  let total = 1; // the one above
  // More than is promised is offered, so that what comes through is not the offer itself.
  for (const { calls, each } of [
    { calls: 2400, each: names.slice(0, 1) },
    { calls: 600, each: names },
  ]) {
    const from = first.said.length;
    const cpu = cpuSeconds(edge.process.pid);
    await first.do({ do: "flood", device: "fast", properties: each, calls, seconds: 5 }, 60_000);
    const told = first.said.slice(from).find((said) => said.flooded !== undefined)!;
    const perSecond = Number(told.flooded) / Number(told.seconds);
    const made = Number(told.flooded);
    const cores = ((cpuSeconds(edge.process.pid) - cpu) / made) * calls;
    const values = Math.round(perSecond * each.length);
    console.log(
      `${Math.round(perSecond)} calls/s of ${each.length}, ${values} values/s, ${told.failed} failed; ${calls} calls/s are ${cores.toFixed(2)} cores of the gateway`,
    );
    assert.ok(cores < 2, `${cores} cores`);
    assert.equal(told.failed, 0);
    // The machine may be busy with other things.
    assert.ok(perSecond > calls / 20, `${perSecond} calls/s`);
    total += made;
    const wanted = each.length === 1 ? total : made;
    // Nothing is lost and nothing stored twice, of the last property that was in every call.
    await eventually(
      `${wanted} readings in the cloud`,
      async () => (await counted("fast", each.at(-1)!)) === wanted,
      60_000,
    );
  }
});

test("bytes that are no protocol end nothing", needed, async () => {
  const { pid } = edge.process;
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (const bytes of [
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    Buffer.from(preface),
    Buffer.concat([Buffer.from(preface), Buffer.alloc(3000, 0x5a)]),
  ]) {
    await new Promise<void>((resolve) => {
      const raw = connect(socket, () => raw.end(bytes));
      raw.on("error", () => {});
      raw.on("close", () => resolve());
      raw.resume();
    });
  }
  assert.equal((await first.do({ do: "report", device: "mill", values: { p: "still" } })).error, undefined);
  await eventually("a value after that", async () => (await reported("mill", "p"))?.value === "still");
  assert.equal(edge.process.pid, pid);
});
