import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { modbus } from "@penstock/mapper-modbus";
import {
  checkSettings,
  type DriverClock,
  type MapperConnection,
  openContext,
  type Point,
  withDefaults,
} from "@penstock/mapper-sdk";
import type { Value, ValueType } from "@penstock/model";
import {
  foreignValues,
  foreignWords,
  freePort,
  KillableProcess,
  needs,
  openPtyPair,
  systemPython,
} from "@penstock/testkit";
import ModbusSerial, { ServerSerial, ServerTCP } from "modbus-serial";
import { eventually, root, TestBench } from "./support/penstock.ts";

// Our mapper against programs that other people wrote: one that asks it, and two that it asks, on TCP and on a real
// pseudo-terminal. What both ends misunderstand in the same way no test of ours alone can find.

const run = promisify(execFile);
const signal = new AbortController().signal;
const closers: (() => Promise<unknown> | unknown)[] = [];
after(async () => {
  for (const close of closers.toReversed()) await close();
});

const clock: DriverClock = {
  monotonic: () => Math.floor(performance.now() * 1000),
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs);
    return () => clearTimeout(timer);
  },
};

async function open(settings: Record<string, unknown>): Promise<MapperConnection> {
  assert.deepEqual(checkSettings(modbus, { connection: settings }), []);
  const connection = await modbus.open(withDefaults(modbus.connection, settings), openContext({ clock }));
  closers.push(() => connection.close());
  return connection as MapperConnection; // points below are of its own fields
}

function point(type: ValueType, visitor: Record<string, unknown>, unitId = 1): Point {
  assert.deepEqual(checkSettings(modbus, { address: { unitId }, visitor }), []);
  const filled = { address: withDefaults(modbus.address, { unitId }), visitor: withDefaults(modbus.visitor, visitor) };
  return { device: "d", property: "p", type, ...filled, custom: {}, deviceCustom: {} };
}

async function read(connection: MapperConnection, ...points: Point[]): Promise<(Value | string)[]> {
  return (await connection.read(points, { signal })).map(({ value, reason }) => reason ?? value);
}

const pty = async () => {
  const pair = await openPtyPair();
  closers.push(pair.close);
  return pair;
};
const serial = (path: string) => ({ transport: "rtu", path, baud: 19_200, parity: "none" });

/** Where our server is, and how mbpoll is told so. */
async function network() {
  const place = { host: "127.0.0.1", port: await freePort() };
  return { place, master: ["-m", "tcp", "-p", String(place.port)], target: place.host };
}
async function bus() {
  const { a, b } = await pty();
  return { place: serial(a), master: ["-m", "rtu", "-b", "19200", "-P", "none"], target: b };
}

for (const { over, needed } of [
  { over: "TCP", needed: needs("mbpoll") },
  { over: "RTU on a serial line", needed: needs("mbpoll", "socat") },
]) {
  test(`mbpoll writes and reads the mapper as a server over ${over}`, needed, async () => {
    const { place, master, target } = over === "TCP" ? await network() : await bus();
    const server = await open({ role: "server", units: [7], ...place });
    const mbpoll = async (kind: string, start: number, ...rest: readonly string[]) => {
      const args = [...master, "-a", "7", "-0", "-1", "-o", "5", "-t", kind, "-r", String(start)];
      return (await run("mbpoll", [...args, ...rest])).stdout;
    };
    const show = (stdout: string) => [...stdout.matchAll(/^\[\d+\]:\s+(\S+)/gm)].map((match) => match[1]);

    // It writes, we collect.
    await mbpoll("4", 10, target, "17", "65000");
    await mbpoll("4:float", 20, "-B", target, "21.5");
    await mbpoll("0", 3, target, "1", "0", "1");
    const points = [
      point("uint16", { table: "holding", offset: 10 }, 7),
      point("uint16", { table: "holding", offset: 11 }, 7),
      point("float32", { table: "holding", offset: 20 }, 7),
      ...[3, 4, 5].map((offset) => point("bool", { table: "coil", offset }, 7)),
      point("bool", { table: "discrete", offset: 0 }, 7),
    ];
    assert.deepEqual(await read(server, ...points), [17, 65_000, 21.5, true, false, true, "mapper/never-written"]);

    // We set, it reads, from all four tables.
    await server.write(point("int32", { table: "input", offset: 100, wordOrder: "CDAB" }, 7), -123_456_789, { signal });
    await server.write(point("bool", { table: "discrete", offset: 8 }, 7), true, { signal });
    await server.write(point("bool", { table: "discrete", offset: 9 }, 7), false, { signal });
    await server.write(point("bool", { table: "coil", offset: 4 }, 7), true, { signal });
    await server.write(point("uint16", { table: "holding", offset: 10 }, 7), 4711, { signal });
    assert.deepEqual(show(await mbpoll("3:int", 100, "-c", "1", target)), ["-123456789"]);
    assert.deepEqual(show(await mbpoll("1", 8, "-c", "2", target)), ["1", "0"]);
    assert.deepEqual(show(await mbpoll("0", 3, "-c", "3", target)), ["1", "1", "1"]);
    assert.deepEqual(show(await mbpoll("4", 10, "-c", "2", target)), ["4711", "65000"]);
    await assert.rejects(mbpoll("4", 500, "-c", "1", target), /Illegal data address/);
  });
}

/** Numbers of all types in all word orders, and what the server refuses. */
async function agrees(connection: MapperConnection, refusals: readonly (readonly [Point, string])[]): Promise<void> {
  const points = foreignValues.map(({ raw, order, offset }) =>
    point(raw, { table: "holding", offset, wordOrder: order }),
  );
  assert.deepEqual(
    await read(connection, ...points),
    foreignValues.map(({ value }) => value),
  );
  for (const [refused, code] of refusals) assert.deepEqual(await read(connection, refused), [code]);
  // Every number is written back negated or halved, read by us again, and what lies beside it has not changed.
  for (const [i, { raw, order, offset, value }] of foreignValues.entries()) {
    const changed = typeof value === "bigint" ? value / 2n : raw.startsWith("float") ? -value : Math.trunc(value / 2);
    const place = point(raw, { table: "holding", offset, wordOrder: order });
    await connection.write(place, changed, { signal });
    const beside = foreignValues.slice(i + 1, i + 2);
    const found = await read(connection, place, ...points.slice(i + 1, i + 2));
    assert.deepEqual(found, [changed, ...beside.map((next) => next.value)]);
  }
  const coil = point("bool", { table: "coil", offset: 1 });
  const before = (await read(connection, coil))[0];
  assert.equal(before, false);
  await connection.write(coil, true, { signal });
  assert.deepEqual(await read(connection, coil), [true]);
}

async function pymodbus(...args: string[]): Promise<Record<string, unknown>> {
  const script = join(root, "packages/testkit/src/foreign/pymodbus_server.py");
  const server = new KillableProcess({ name: "pymodbus", command: systemPython, args: [script, ...args] });
  closers.push(() => server.kill());
  return (await server.start()) as Record<string, unknown>;
}

test("the mapper reads and writes a pymodbus server over TCP", needs("python3-pymodbus"), async () => {
  const { host, port } = await pymodbus();
  await agrees(await open({ host, port }), [
    [point("uint16", { table: "holding", offset: 5000 }), "mapper/bad-address"],
    [point("bool", { table: "discrete", offset: 100 }), "mapper/bad-address"],
    // pymodbus says nothing of units that it does not have, on TCP too.
    [point("uint16", { table: "input", offset: 0 }, 9), "mapper/timeout"],
  ]);
});

test("the mapper reads and writes a pymodbus server on a serial line", needs("python3-pymodbus", "socat"), async () => {
  const { a, b } = await pty();
  await pymodbus("--serial", a);
  await agrees(await open(serial(b)), [
    [point("uint16", { table: "holding", offset: 5000 }), "mapper/bad-address"],
    [point("uint16", { table: "input", offset: 0 }, 9), "mapper/timeout"],
  ]);
});

/** The service that modbus-serial asks for each place: the map, coils, and refusals with a code of the device's own. */
function vector() {
  const words = foreignWords();
  const coils = new Map([[1, false]]);
  const refuse = (modbusErrorCode: number) => {
    throw Object.assign(new Error("refused"), { modbusErrorCode });
  };
  const found = <T>(value: T | undefined): T => value ?? (refuse(2) as never);
  return {
    getHoldingRegister: (at: number) => (at === 6 ? (refuse(6) as never) : found(words.get(at))),
    getInputRegister: () => refuse(4) as never,
    getCoil: (at: number) => found(coils.get(at)),
    getDiscreteInput: (at: number) => found(coils.get(at)),
    setRegister: (at: number, value: number) => void words.set(at, value),
    setCoil: (at: number, value: boolean) => void coils.set(at, value),
  };
}
const refusals: readonly (readonly [Point, string])[] = [
  [point("uint16", { table: "holding", offset: 5000 }), "mapper/bad-address"],
  [point("uint16", { table: "input", offset: 0 }), "mapper/device-failure"],
  [point("uint16", { table: "holding", offset: 6 }), "mapper/device-busy"],
];

test("the mapper reads and writes a modbus-serial server over TCP", async () => {
  const port = await freePort();
  const server = new ServerTCP(vector(), { host: "127.0.0.1", port, unitID: 1 });
  closers.push(() => new Promise<void>((done) => server.close(() => done())));
  await once(server, "initialized");
  await agrees(await open({ host: "127.0.0.1", port }), refusals);
});

test("the mapper reads and writes a modbus-serial server on a serial line", needs("socat"), async () => {
  const { a, b } = await pty();
  const server = new ServerSerial(vector(), { path: a, baudRate: 19_200, unitID: 1 });
  closers.push(() => new Promise<void>((done) => server.close(() => done())));
  await once(server, "initialized");
  await agrees(await open(serial(b)), refusals);
});

test("a gateway collects a PLC that only writes, and shows it what the cloud sets", async () => {
  const bench = new TestBench();
  closers.push(() => bench.close());
  const port = await freePort();
  const cloud = await bench.startCloud();
  await bench.startEdge(cloud, "gw-01");
  const documents = [
    {
      ...{ apiVersion: "penstock.dev/v1", kind: "Connection", metadata: { name: "plc-line" } },
      spec: { node: "gw-01", protocol: "modbus", settings: { role: "server", host: "127.0.0.1", port } },
    },
    {
      ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: "press" } },
      spec: {
        ...{ node: "gw-01", connection: "plc-line", address: { unitId: 4 } },
        properties: {
          force: { type: "float32", visitor: { table: "holding", offset: 100 }, collect: { every: "200ms" } },
          limit: {
            ...{
              type: "uint16",
              access: "readWrite",
              visitor: { table: "input", offset: 0 },
              collect: { every: "200ms" },
            },
          },
        },
      },
    },
  ];
  const applied = await bench.run(["apply", "-f", "-"], {
    input: documents.map((d) => JSON.stringify(d)).join("\n---\n"),
  });
  assert.equal(applied.code, 0, applied.stderr);
  const reported = async (name: string) => {
    const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "press" } });
    return properties.find((p) => p.property === name)?.reported;
  };
  await eventually(
    "a reading without a value",
    async () => (await reported("force"))?.reason === "mapper/never-written",
  );

  const plc = new ModbusSerial.default();
  await plc.connectTCP("127.0.0.1", { port });
  closers.push(() => new Promise<void>((done) => plc.close(() => done())));
  plc.setID(4);
  await plc.writeRegisters(100, [0x41ac, 0]);
  await eventually("the PLC's value in the cloud", async () => (await reported("force"))?.value === 21.5);
  await assert.rejects(plc.readInputRegisters(0, 1), /Illegal data address/);
  const set = await bench.run(["set", "press", "limit", "950"]);
  assert.match(set.stdout, /press\.limit = 950 confirmed, read back 950/, set.stderr);
  assert.deepEqual((await plc.readInputRegisters(0, 1)).data, [950]);
});
