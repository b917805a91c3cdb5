/** Several values of one device in as few questions as possible, and never a place that nobody asked for. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openContext, withDefaults, writesAll } from "@penstock/mapper-sdk";
import type { Value, ValueType } from "@penstock/model";
import fc from "fast-check";
import { plant } from "../test/plant.ts";
import { modbus } from "./index.ts";
import type { ModbusPoint } from "./point.ts";
import { resolvePoint } from "./resolve-point.ts";
import { joinWrites, planWrite, writeRequest } from "./write-request.ts";

const signal = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers) await close();
});

function point(visitor: Readonly<Record<string, unknown>>, type: ValueType = "uint16"): ModbusPoint {
  const named = { device: "d", property: "p", custom: {}, deviceCustom: {} };
  return { ...named, type, address: { unitId: 1 }, visitor: withDefaults(modbus.visitor, visitor) };
}
const holding = (offset: number) => point({ table: "holding", offset });
const coil = (offset: number) => point({ table: "coil", offset }, "bool");

async function stage(memory: Parameters<typeof plant>[0]) {
  const server = plant(memory);
  const place = await server.listen();
  const connection = await modbus.open(withDefaults(modbus.connection, { ...place }), openContext());
  closers.push(
    () => connection.close(),
    () => server.close(),
  );
  assert.ok(writesAll(connection));
  const writeAll = async (writes: readonly [ModbusPoint, Value][]) => {
    const before = server.requests.length;
    const outcomes = await connection.writeAll(
      writes.map(([point, value]) => ({ point, value })),
      { signal },
    );
    // function and what follows it: MBAP takes seven bytes
    const asked = server.requests.slice(before).map((request) => Buffer.from(request.subarray(7)).toString("hex"));
    return { asked, outcomes: outcomes.map((outcome) => outcome?.code ?? null) };
  };
  return { writeAll };
}
const zeros = (count: number) => Array.from({ length: count }, () => 0);

test("writeAll() joins what lies side by side, and never across a gap", async () => {
  const { writeAll } = await stage({ 1: { holding: { 0: zeros(20) }, coil: { 0: zeros(20) } } });
  const { asked, outcomes } = await writeAll([
    [holding(3), 0x0303],
    [point({ table: "holding", offset: 1 }, "uint32"), 0x01010202],
    [holding(5), 0x0505],
    [coil(8), true],
    [coil(9), false],
    [coil(7), true],
  ]);
  assert.deepEqual(asked, [
    "10" + "0001" + "0003" + "06" + "01010202" + "0303", // registers 1 to 3
    "06" + "0005" + "0505", // 4 lies between
    "0f" + "0007" + "0003" + "01" + "03", // coils 7 and 8 on, 9 off
  ]);
  assert.deepEqual(outcomes, [null, null, null, null, null, null]);
});

test("writeAll() sets bits of one register in one question, and writes one place twice in order", async () => {
  const { writeAll } = await stage({ 1: { holding: { 0: zeros(20) } } });
  const { asked } = await writeAll([
    [point({ table: "holding", offset: 4, bit: 0 }, "bool"), true],
    [point({ table: "holding", offset: 4, bit: 9 }, "bool"), false],
    [holding(6), 1],
    [holding(6), 2],
  ]);
  assert.deepEqual(asked, ["16" + "0004" + "fdfe" + "0001", "06" + "0006" + "0001", "06" + "0006" + "0002"]);
});

test("writeAll() splits a question that is refused, and tells of each value what became of it", async () => {
  const { writeAll } = await stage({ 1: { holding: { 0: zeros(6), 7: zeros(2) } } });
  const { asked, outcomes } = await writeAll([
    ...[4, 5, 6, 7].map((at): [ModbusPoint, Value] => [holding(at), at]),
    [holding(0), 70_000],
    [point({ table: "input", offset: 0 }), 1],
  ]);
  assert.deepEqual(outcomes, [
    ...[null, null, "mapper/bad-address", null],
    ...["mapper/value-out-of-range", "mapper/unsupported"],
  ]);
  assert.deepEqual(asked, [
    "10" + "0004" + "0004" + "08" + "0004000500060007",
    "10" + "0004" + "0002" + "04" + "00040005",
    "10" + "0006" + "0002" + "04" + "00060007",
    "06" + "0006" + "0006",
    "06" + "0007" + "0007",
  ]);
});

test("writeAll() takes function 6 where a device has no 16", async () => {
  const { writeAll } = await stage({ 1: { holding: { 0: zeros(4) }, lacks: [16] } });
  const { asked, outcomes } = await writeAll([
    [holding(0), 1],
    [holding(1), 2],
  ]);
  assert.deepEqual(outcomes, [null, null]);
  assert.deepEqual(asked.slice(1), ["06" + "0000" + "0001", "06" + "0001" + "0002"]);
});

test("joinWrites() writes every value once, no place that was not asked for, the last one last, within the limits", () => {
  const visitors = fc.record({
    table: fc.constant("holding"),
    offset: fc.integer({ min: 0, max: 300 }),
    raw: fc.constantFrom("uint16", "uint32", "uint64"),
    writeWith: fc.constantFrom("auto", "multiple", "readWrite"),
  });
  fc.assert(
    fc.property(fc.array(visitors, { maxLength: 200 }), (given) => {
      const writes = given.map((visitor, row) => planWrite(row, resolvePoint(point(visitor, "float64")), row));
      const joined = joinWrites(writes);
      assert.deepEqual(
        joined.flatMap((writes) => writes.map(({ row }) => row)).sort((a, b) => a - b),
        given.map((_, row) => row),
      );
      const held = new Map<number, number>();
      for (const question of joined) {
        const { start } = question[0]!.point;
        const words = question.reduce((sum, { point }) => sum + point.length, 0);
        assert.ok(words <= 123);
        let at = start;
        for (const { row, point } of question) {
          assert.equal(point.start, at, "side by side");
          for (; at < point.start + point.length; at++) held.set(at, row);
        }
        assert.ok(writeRequest(question).pdu.length <= 253);
      }
      const inOrder = new Map<number, number>();
      for (const { row, point } of writes)
        for (let at = point.start; at < point.start + point.length; at++) inOrder.set(at, row);
      assert.deepEqual([...held].sort(), [...inOrder].sort());
    }),
    { numRuns: 50 },
  );
});
