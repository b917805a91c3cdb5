import assert from "node:assert/strict";
import { after, test } from "node:test";
import { s7 } from "@penstock/mapper-s7";
import {
  checkSettings,
  type DriverClock,
  type MapperConnection,
  openContext,
  type Point,
  withDefaults,
} from "@penstock/mapper-sdk";
import { defaultLine, type LineSettings, type Value, type ValueType } from "@penstock/model";
import { needs, Snap7Server } from "@penstock/testkit";

// Our client against snap7's server, whose bytes are looked at and set behind the protocol's back: what both ends of ours
// misunderstand in the same way no test of ours alone can find.

const signal = new AbortController().signal;
const closers: (() => Promise<unknown>)[] = [];
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

async function plc(): Promise<Snap7Server> {
  const server = await Snap7Server.start();
  closers.push(() => server.close());
  return server;
}
async function open(server: Snap7Server, line: Partial<LineSettings> = {}): Promise<MapperConnection> {
  const settings = { host: server.host, port: server.port };
  assert.deepEqual(checkSettings(s7, { connection: settings }), []);
  const context = openContext({ clock, line: { ...defaultLine, ...line } });
  const connection = await s7.open(withDefaults(s7.connection, settings), context);
  closers.push(() => connection.close());
  return connection as MapperConnection; // points below are of its own fields
}
function point(type: ValueType, visitor: Record<string, unknown>): Point {
  assert.deepEqual(checkSettings(s7, { address: {}, visitor }), []);
  const filled = { address: {}, visitor: withDefaults(s7.visitor, visitor) };
  return { device: "d", property: "p", type, ...filled, custom: {}, deviceCustom: {} };
}
async function read(connection: MapperConnection, points: readonly Point[]): Promise<(Value | string)[]> {
  return (await connection.read(points, { signal })).map(({ value, reason }) => reason ?? value);
}

/** What stands where, each as its manual's own text, and its bytes worked out by hand. */
const cases: readonly (readonly [ValueType, Record<string, unknown>, Value, at: string, hex: string])[] = [
  ["bool", { address: "DB10.DBX0.3" }, true, "DB 10 0", "08"],
  ["uint8", { address: "DB10.DBB1" }, 200, "DB 10 1", "c8"],
  ["int8", { address: "DB10.DBB2" }, -2, "DB 10 2", "fe"],
  ["int16", { address: "DB10.DBW4" }, -12345, "DB 10 4", "cfc7"],
  ["uint16", { address: "DB10.DBW6" }, 54321, "DB 10 6", "d431"],
  ["int32", { address: "DB10.DBD8" }, -123456789, "DB 10 8", "f8a432eb"],
  ["uint32", { address: "DB10.DBD12" }, 4000000000, "DB 10 12", "ee6b2800"],
  ["float32", { address: "DB10.DBD16" }, 21.5, "DB 10 16", "41ac0000"],
  ["float64", { db: 10, offset: 20, type: "lreal" }, -0.1, "DB 10 20", "bfb999999999999a"],
  ["int64", { address: "DB10.DBL28" }, -9007199254740993n, "DB 10 28", "ffdfffffffffffff"],
  ["uint64", { db: 10, offset: 36 }, 18446744073709551615n, "DB 10 36", "ffffffffffffffff"],
  ["int32", { db: 10, offset: 44, type: "time" }, 90_061_001, "DB 10 44", "055e38c9"],
  ["string", { db: 10, offset: 48, type: "string", length: 8 }, "Grüße", "DB 10 48", "00054772fcdf65"],
  ["string", { db: 10, offset: 60, type: "wstring", length: 4 }, "水a", "DB 10 60", "000000026c340061"],
  ["string", { db: 10, offset: 76, type: "chars", length: 4 }, "AB", "DB 10 76", "41422020"],
  ["bytes", { db: 10, offset: 80, type: "bytes", length: 3 }, Uint8Array.of(1, 2, 255), "DB 10 80", "0102ff"],
  // 2026-11-23 is a Monday, day 2
  ["string", { db: 10, offset: 84, type: "date_and_time" }, "2026-11-23T14:05:09.123", "DB 10 84", "2611231405091232"],
  [
    ...(["string", { db: 10, offset: 92, type: "dtl" }, "2026-11-23T14:05:09.000000001"] as const),
    ...(["DB 10 92", "07ea0b17020e050900000001"] as const),
  ],
  ["int16", { address: "MW20" }, 1234, "M 0 20", "04d2"],
  ["bool", { address: "M30.7" }, true, "M 0 30", "80"],
  ["uint8", { address: "IB3" }, 17, "I 0 3", "11"],
  ["bool", { address: "Q1.0" }, true, "Q 0 1", "01"],
  // Two seconds in hundredths: base 0, digits 200. Only timer and counter 0 lie where they should: this server takes half a
  // number for the byte, though each has two (S7_server.cpp of snap7 1.4, ReadArea).
  ["uint32", { address: "T0" }, 2000, "T 0 0", "0200"],
  ["uint16", { address: "C0" }, 123, "C 0 0", "0123"],
];

test(
  "snap7's server holds the bytes of what is written, and its bytes read as what they are",
  needs("python-snap7"),
  async () => {
    const server = await plc();
    const connection = await open(server);
    const points = cases.map(([type, visitor]) => point(type, visitor));
    const placeOf = (at: string) => {
      const [area, db, start] = at.split(" ");
      return [area as "DB", Number(db), Number(start)] as const;
    };
    // Its bytes, set behind the protocol's back. A string's declared length is the program's business.
    for (const [, , , at, hex] of cases) await server.put(...placeOf(at), hex);
    assert.deepEqual(
      await read(connection, points),
      cases.map(([, , value]) => value),
    );

    // Ours, looked at the same way.
    for (const [, , , at, hex] of cases) await server.put(...placeOf(at), "00".repeat(hex.length / 2));
    for (const [i, [, , value]] of cases.entries()) await connection.write(points[i]!, value, { signal });
    for (const [type, visitor, , at, hex] of cases) {
      assert.equal(await server.get(...placeOf(at), hex.length / 2), hex, `${type} ${JSON.stringify(visitor)}`);
    }
  },
);

test("what snap7's server refuses has its code, and its neighbours their values", needs("python-snap7"), async () => {
  const server = await plc();
  const connection = await open(server);
  await server.put("DB", 11, 0, Array.from({ length: 40 }, (_, i) => i.toString(16).padStart(2, "0")).join(""));
  const points = [
    ...[36, 37, 38, 39, 40].map((offset) => point("uint16", { db: 11, offset })),
    point("uint8", { address: "DB99.DBB0" }),
    point("uint8", { address: "MB0" }),
  ];
  const expected = [0x2425, 0x2526, 0x2627, "mapper/bad-address", "mapper/bad-address", "mapper/bad-address", 0];
  for (let round = 0; round < 3; round++) assert.deepEqual(await read(connection, points), expected);
  await assert.rejects(connection.write(points[4]!, 1, { signal }), { code: "mapper/bad-address" });
  await assert.rejects(connection.write(points[5]!, 1, { signal }), { code: "mapper/bad-address" });
});

test(
  "a bit written in snap7's server leaves its neighbours, and what is longer than a PDU comes whole",
  needs("python-snap7"),
  async () => {
    const server = await plc();
    const connection = await open(server, { inFlight: 4 });
    await server.put("M", 0, 5, "a5");
    await connection.write(point("bool", { address: "M5.1" }), true, { signal });
    await connection.write(point("bool", { address: "M5.7" }), false, { signal });
    assert.equal(await server.get("M", 0, 5, 1), "27");

    const long = point("bytes", { db: 10, offset: 0, type: "bytes", length: 1024 });
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i * 7) & 255);
    await connection.write(long, bytes, { signal });
    assert.equal(await server.get("DB", 10, 0, 1024), Buffer.from(bytes).toString("hex"));
    assert.deepEqual(await read(connection, [long]), [bytes]);
    // Each by itself and all of them together, three hundred of them.
    const words = Array.from({ length: 300 }, (_, i) => point("uint8", { db: 10, offset: i * 3 }));
    assert.deepEqual(
      await read(connection, words),
      words.map((_, i) => (i * 21) & 255),
    );
  },
);
