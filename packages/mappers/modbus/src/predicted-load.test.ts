/** What is told of a line before anything runs is what the mapper then does, counted at the simulated device. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openContext, readsInto, withDefaults } from "@penstock/mapper-sdk";
import {
  type ConnectionUid,
  type DeviceUid,
  defaultLine,
  type EffectiveDevice,
  effectiveProperty,
  extentOf,
  type LineSettings,
  predictLoad,
  type ValueType,
} from "@penstock/model";
import { MemoryUnit, ModbusServer } from "@penstock/testkit";
import fc from "fast-check";
import { modbus } from "./index.ts";
import type { ModbusPoint } from "./point.ts";
import { MeasuredCost } from "./read-cost.ts";
import { readPlan } from "./read-plan.ts";
import { RefusedRanges } from "./refused-ranges.ts";
import { resolvePoint } from "./resolve-point.ts";

const signal = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers) await close();
});

interface Property {
  readonly type: ValueType;
  readonly every: string;
  readonly visitor: Readonly<Record<string, string | number>>;
}

function device(properties: readonly Property[], unitId = 1): EffectiveDevice {
  return {
    uid: `u${unitId}` as DeviceUid,
    name: `d${unitId}`,
    generation: 1,
    connection: "c" as ConnectionUid,
    address: { unitId },
    methods: [],
    offlineAfterMs: null,
    custom: {},
    properties: properties.map(({ type, every, visitor }, i) =>
      effectiveProperty(`p${i}`, { type, visitor, collect: { every } }),
    ),
  };
}
function pointsOf({ address, properties }: EffectiveDevice, everyMs: number): ModbusPoint[] {
  return properties
    .filter(({ collect }) => collect !== null && "everyMs" in collect && collect.everyMs === everyMs)
    .map(({ name, type, visitor }) => ({
      ...{ device: "d", property: name, type, custom: {}, deviceCustom: {} },
      address: withDefaults(modbus.address, address),
      visitor: withDefaults(modbus.visitor, visitor),
    }));
}

const someProperty = fc.oneof(
  fc.record({
    type: fc.constantFrom<ValueType>("uint16", "float32", "int64", "uint8"),
    every: fc.constantFrom("1s", "10s"),
    visitor: fc.record({ table: fc.constantFrom("holding", "input"), offset: fc.integer({ min: 0, max: 600 }) }),
  }),
  fc.record({
    type: fc.constant<ValueType>("bool"),
    every: fc.constantFrom("1s", "10s"),
    visitor: fc.oneof(
      fc.record({ table: fc.constantFrom("coil", "discrete"), offset: fc.integer({ min: 0, max: 5000 }) }),
      fc.record({
        ...{ table: fc.constant("holding"), offset: fc.integer({ min: 0, max: 600 }) },
        bit: fc.integer({ min: 0, max: 15 }),
      }),
    ),
  }),
  fc.record({
    type: fc.constant<ValueType>("string"),
    every: fc.constant("1s"),
    visitor: fc.record({
      ...{ table: fc.constant("holding"), raw: fc.constant("string"), offset: fc.integer({ min: 0, max: 600 }) },
      length: fc.integer({ min: 1, max: 40 }),
    }),
  }),
);
const someLine = fc.constantFrom<Readonly<Record<string, string | number>>>(
  { transport: "tcp", host: "h" },
  { transport: "rtu", path: "/dev/ttyS0", baud: 9600, parity: "even" },
  { transport: "ascii", path: "/dev/ttyS0", baud: 19_200 },
  { transport: "tcp", host: "h", maxGap: 4 },
);

test("predictLoad() counts the requests of the mapper's own plan, whatever the map and the line", () => {
  fc.assert(
    fc.property(fc.array(someProperty, { maxLength: 60 }), someLine, (properties, settings) => {
      const described = device(properties);
      const load = predictLoad({ manifest: modbus.manifest, line: defaultLine, settings, devices: [described] })!;
      const cost = new MeasuredCost(withDefaults(modbus.connection, settings), defaultLine);
      const planned = (everyMs: number) => {
        const options = { refused: new RefusedRanges(), terms: cost.terms.bind(cost), termsVersion: 0 };
        const plan = readPlan(pointsOf(described, everyMs), options);
        assert.deepEqual(plan.impossible, []);
        return plan.reads.length;
      };
      assert.ok(Math.abs(load.requestsPerSecond - (planned(1000) + planned(10_000) / 10)) < 1e-9);
      for (const point of [...pointsOf(described, 1000), ...pointsOf(described, 10_000)]) {
        const { start, length } = resolvePoint(point);
        const extent = extentOf(modbus.manifest, { address: point.address, visitor: point.visitor }, point.type);
        assert.deepEqual([extent?.start, extent?.length], [start, length], "mapper.json says where a point lies");
      }
    }),
  );
});

test("predictLoad() is what the device then counts, dense and sparse", async () => {
  const sizes = { holding: 3000, coil: 3000 };
  const server = await ModbusServer.listen({ units: new Map([[1, new MemoryUnit(sizes)]]) });
  const settings = { host: server.host, port: server.port };
  const context = openContext();
  const connection = await modbus.open(withDefaults(modbus.connection, settings), context);
  closers.push(
    () => connection.close(),
    () => server.close(),
  );
  assert.ok(readsInto(connection));
  const sink = { at() {}, good() {}, bad: (row: number, reason: string) => assert.fail(`${row}: ${reason}`) };
  const registers = (count: number, step: number) =>
    Array.from({ length: count }, (_, i): Property => {
      const visitor = { table: "holding", offset: i * step };
      return { type: "uint16", every: "1s", visitor };
    });
  for (const properties of [registers(1000, 1), registers(1000, 3), registers(10, 200)]) {
    const described = device(properties);
    const load = predictLoad({ manifest: modbus.manifest, line: defaultLine, settings, devices: [described] })!;
    const before = server.stats.requests;
    await connection.readInto(pointsOf(described, 1000), sink, { signal });
    assert.equal(server.stats.requests - before, load.requestsPerSecond);
  }
});

test("predictLoad() knows what serial lines take: characters, silence, pause, ASCII twice as long", () => {
  const properties = [0, 1, 2, 3].map(
    (offset): Property => ({
      ...{ type: "uint16", every: "1s" },
      visitor: { table: "holding", offset },
    }),
  );
  const devices = [device(properties, 1), device(properties, 2)];
  const load = (settings: Readonly<Record<string, unknown>>, line: Partial<LineSettings> = {}) =>
    predictLoad({ manifest: modbus.manifest, line: { ...defaultLine, ...line }, settings, devices, roundTripUs: 0 })!;
  const rtu = { transport: "rtu", path: "/dev/ttyS0", baud: 9600, parity: "none" };
  // Question 8 bytes, answer 5 + 8: 21 characters of 10 bits; twice 3.5 characters of silence; two devices.
  const character = 10 / 9600;
  const close = (is: number, expected: number) => assert.ok(Math.abs(is - expected) < 1e-6, `${is}, not ${expected}`);
  close(load(rtu).percent, 2 * (21 + 7) * character * 100);
  assert.equal(load(rtu).bytesPerSecond, 42);
  assert.equal(load(rtu).byDevice.get("u2")?.requestsPerSecond, 1);
  close(load(rtu, { pauseMs: 50 }).percent, (2 * (21 + 7) * character + 0.1) * 100);
  close(load({ ...rtu, parity: "even", stopBits: 1 }).percent, 2 * (21 + 7) * (11 / 9600) * 100);
  // ASCII: 15 PDU bytes twice as long, and 14 characters around them; characters have seven bits of data.
  close(load({ ...rtu, transport: "ascii" }).percent, 2 * (15 * 2 + 14) * (9 / 9600) * 100);
  assert.equal(load({ host: "h", role: "server" }).requestsPerSecond, 0, "a server is asked, it asks nobody");
  close(load({ host: "h" }, { inFlight: 4 }).percent * 4, load({ host: "h" }).percent);
  assert.equal(
    predictLoad({ manifest: { ...modbus.manifest, cost: null }, line: defaultLine, settings: rtu, devices }),
    null,
  );
});

test("MeasuredCost plans anew when another gap pays, and not with each answer", () => {
  const settings = withDefaults(modbus.connection, { transport: "rtu", path: "/dev/ttyS0", baud: 9600 });
  const cost = new MeasuredCost(settings, defaultLine);
  const { cost: assumed } = cost.terms("holding");
  const answer = (roundTripUs: number) => {
    for (let i = 0; i < 320; i++) {
      // Most wait for other users of the line; the quickest of a window tells.
      cost.answered("holding", 10, assumed.fixed - 5000 + 10 * assumed.perUnit + roundTripUs + (i % 8) * 30_000);
    }
  };
  answer(5500);
  assert.equal(cost.version, 0);
  answer(60_000);
  assert.ok(cost.version >= 1 && cost.version <= 4, `${cost.version} plans`);
  assert.ok(cost.terms("holding").cost.fixed > assumed.fixed + 40_000);
  const learned = cost.version;
  answer(60_000);
  assert.equal(cost.version, learned);
});
