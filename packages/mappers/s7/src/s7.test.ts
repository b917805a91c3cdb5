import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ManualClock, openContext, type Point, withDefaults } from "@penstock/mapper-sdk";
import { AppError, defaultLine, type LineSettings, type Value, type ValueType } from "@penstock/model";
import { S7Memory, S7Server, type S7ServerOptions, s7Answer } from "@penstock/testkit";
import { s7 } from "./index.ts";
import type { Address, Visitor } from "./point.ts";

const signal = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers.toReversed()) await close();
});

type Given = Readonly<Record<string, unknown>>;
function point(type: ValueType, visitor: Given, address: Given = {}): Point<Address, Visitor> {
  const filled = { address: withDefaults(s7.address, address), visitor: withDefaults(s7.visitor, visitor) };
  return { device: "d", property: "p", type, ...filled, custom: {}, deviceCustom: {} };
}

async function stage(options: S7ServerOptions & { line?: Partial<LineSettings>; settings?: Given } = {}) {
  const server = await S7Server.start(options);
  closers.push(() => server.close());
  const clock = new ManualClock();
  const lost: string[] = [];
  const connection = await s7.open(
    withDefaults(s7.connection, { host: "127.0.0.1", port: server.port, ...options.settings }),
    openContext({ clock, line: { ...defaultLine, ...options.line }, lost: (error) => lost.push(error.code) }),
  );
  closers.push(() => connection.close());
  const read = async (points: readonly Point<Address, Visitor>[]): Promise<(Value | string)[]> =>
    (await connection.read(points, { signal })).map(({ value, reason }) => reason ?? value);
  return { server, clock, lost, connection, read };
}
function memory(db10: number): S7Memory {
  const made = new S7Memory();
  const block = made.add("DB", db10, 10);
  for (let i = 0; i < block.length; i++) block[i] = i & 255;
  return made;
}
const byte = (offset: number, db = 10) => point("uint8", { db, offset });

test("points near each other are one item, and items share a job", async () => {
  const { server, read } = await stage({ memory: memory(1000) });
  // Three groups with wide gaps: three items, one job.
  const points = [0, 1, 4, 300, 302, 900].map((offset) => byte(offset));
  assert.deepEqual(await read(points), [0, 1, 4, 44, 46, 132]);
  assert.deepEqual(
    server.requests.map(({ items }) => items),
    [3],
  );
});

test("a wrong address costs its neighbours nothing, and is not asked for again in each cycle", async () => {
  const { server, clock, read } = await stage({ memory: memory(40) });
  const points = [30, 32, 34, 36, 38, 40, 42].map((offset) => byte(offset));
  const expected = [30, 32, 34, 36, 38, "mapper/bad-address", "mapper/bad-address"];
  for (let cycle = 0; cycle < 3; cycle++) assert.deepEqual(await read(points), expected);
  const learned = server.requests.length;
  assert.deepEqual(await read(points), expected);
  assert.equal(server.requests.length, learned + 1);

  // The block is loaded anew, longer: half a minute later it is asked for, and then all of it is read at once again.
  server.memory.add("DB", 50, 10).fill(7);
  clock.move(30_001);
  await read(points);
  assert.deepEqual(await read(points), Array(7).fill(7));
  const after = server.requests.length;
  await read(points);
  assert.deepEqual([server.requests.length - after, server.requests.at(-1)?.items], [1, 1]);
});

test("each refusal has its code: no such block, no access, none of it asked in vain", async () => {
  const plc = memory(40);
  plc.add("DB", 10, 11);
  plc.denied.add(11);
  const { server, connection, read } = await stage({ memory: plc });
  const points = [byte(0), ...[0, 2, 4].map((at) => byte(at, 11)), ...[0, 2].map((at) => byte(at, 12))];
  const [denied, missing] = ["mapper/access-denied", "mapper/bad-address"];
  assert.deepEqual(await read(points), [0, denied, denied, denied, missing, missing]);
  // A block that is not there, or protected, is so for all that lies in it.
  assert.equal(server.requests.length, 1);
  await assert.rejects(connection.write(byte(0, 11), 1, { signal }), { code: denied });
});

test("jobs are under way as many as PLC and line allow, and each answer finds its own", async () => {
  const held: (() => void)[] = [];
  const { server, read, connection } = await stage({ memory: memory(4000), jobs: 3, line: { inFlight: 8 } });
  server.hook = (_, right, socket) => {
    held.push(() => socket.write(right));
    // Answered in the wrong order, once as many wait as may.
    if (held.length >= 3) for (const answer of held.splice(0).toReversed()) answer();
    return null;
  };
  const points = Array.from({ length: 6 }, (_, i) =>
    point("bytes", { db: 10, offset: i * 200 + i, type: "bytes", length: 200 }),
  );
  const values = await read(points);
  values.forEach((value, i) => {
    assert.equal((value as Uint8Array)[0], (i * 201) & 255);
  });
  assert.equal(server.requests.length, 6);
  await connection.close();
});

test("an answer that comes too late is nobody's, and a silent PLC costs one time-out", async () => {
  const late: (() => void)[] = [];
  const { server, clock, read } = await stage({ memory: memory(1000) });
  server.hook = (request, _, socket) => {
    const wrong = s7Answer(request.reference, Buffer.of(4, 1), Buffer.of(0xff, 4, 0, 8, 99));
    late.push(() => socket.write(wrong));
    return null;
  };
  // Two jobs' worth: the second is not even sent.
  const many = [0, 300, 600].map((offset) => point("bytes", { db: 10, offset, type: "bytes", length: 200 }));
  const reading = read(many);
  while (server.requests.length < 1) await new Promise(setImmediate);
  clock.move(defaultLine.timeoutMs);
  assert.deepEqual(await reading, ["mapper/timeout", "mapper/timeout", "mapper/timeout"]);
  assert.equal(server.requests.length, 1);
  server.hook = (_, right) => {
    for (const answer of late.splice(0)) answer();
    return [right];
  };
  assert.deepEqual(await read([byte(3)]), [3]);
});

test("a question is asked again as often as the line says", async () => {
  const { server, clock, read } = await stage({ memory: memory(10), line: { retries: 1 } });
  let count = 0;
  server.hook = (_, right) => (++count === 1 ? null : [right]);
  const reading = read([byte(3)]);
  while (count < 1) await new Promise(setImmediate);
  clock.move(defaultLine.timeoutMs);
  assert.deepEqual(await reading, [3]);
  assert.equal(server.requests[0]?.reference === server.requests[1]?.reference, false);
});

test("the PLC is called by rack and slot, or by what the settings say", async () => {
  assert.deepEqual((await stage({ settings: { rack: 0, slot: 2 } })).server.tsaps, [0x0100, 0x0302]);
  const logo = { localTsap: "10.00", remoteTsap: "20.00", rack: 3 };
  assert.deepEqual((await stage({ settings: logo })).server.tsaps, [0x1000, 0x2000]);
});

test("a device's own data block counts where a visitor names none", async () => {
  const plc = memory(40);
  plc.add("DB", 40, 11).fill(9);
  const { read } = await stage({ memory: plc });
  const visitor = { address: "DBB5" };
  assert.deepEqual(await read([point("uint8", visitor, { db: 10 }), point("uint8", visitor, { db: 11 })]), [5, 9]);
  assert.deepEqual(await read([point("uint8", visitor)]), ["mapper/bad-address"]);
});

test("what does not fit is refused before anything is sent, and types are kept strictly", async () => {
  const { server, connection, read } = await stage({ memory: memory(1000) });
  for (const [type, visitor, value] of [
    ["uint8", { address: "DB10.DBB0" }, 256],
    ["int16", { address: "DB10.DBB0", type: "sint" }, 128],
    ["float64", { address: "DB10.DBW0", type: "int", scale: 0.1 }, 4000],
    ["uint32", { address: "DB10.DBW0", type: "s5time" }, 15],
    ["uint32", { address: "DB10.DBW0", type: "counter" }, 1000],
    ["string", { db: 10, offset: 0, type: "string", length: 3 }, "abcd"],
    ["string", { db: 10, offset: 0, type: "string", length: 3 }, "水"],
    ["string", { db: 10, offset: 0, type: "dtl" }, "2026-02-30T00:00:00"],
    ["bool", { address: "DB10.DBX0.1" }, 2],
  ] as const) {
    await assert.rejects(
      connection.write(point(type, visitor), value, { signal }),
      (error) => error instanceof AppError && error.code === "mapper/value-out-of-range",
      `${type} ${JSON.stringify(visitor)}`,
    );
  }
  // A width that is not the type's, a bit that has none, a type that nothing says.
  assert.deepEqual(
    await read([
      point("float32", { address: "DB10.DBW0" }),
      point("bool", { address: "DB10.DBX0.1", type: "int" }),
      point("string", { address: "DB10.DBB0" }),
      point("uint8", { db: 10, offset: 65535, type: "word" }),
    ]),
    ["mapper/bad-address", "mapper/bad-address", "mapper/unsupported", "mapper/bad-address"],
  );
  assert.equal(server.requests.length, 0);
});
