import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  type Calls,
  checkSettings,
  ManualClock,
  type MapperConnection,
  manifestText,
  openContext,
  type Point,
  type Subscribes,
  withDefaults,
} from "@penstock/mapper-sdk";
import { AppError, parseManifest, type Value, type ValueType } from "@penstock/model";
import fc from "fast-check";
import type { Address, Method, Visitor } from "./fields.ts";
import { virtual } from "./index.ts";

type Opened = MapperConnection<Address, Visitor> & Calls<Address, Method>;
const signal = new AbortController().signal;

async function open(settings: Record<string, unknown> = {}) {
  const clock = new ManualClock();
  assert.deepEqual(checkSettings(virtual, { connection: settings }), []);
  const given = withDefaults(virtual.connection, settings);
  const connection = (await virtual.open(given, openContext({ clock }))) as Opened;
  const show = async (point: Point<Address, Visitor>) => {
    const [result] = await connection.read([point], { signal });
    return result!.value ?? result!.reason;
  };
  const call = (
    visitor: Record<string, unknown>,
    args: Record<string, Value> = {},
    result: ValueType | null = null,
  ) => {
    assert.deepEqual(checkSettings(virtual, { method: visitor }), []);
    const rest = { device: "d", method: "m", address: {} as Address, arguments: args, result, deviceCustom: {} };
    return connection.call({ ...rest, visitor: withDefaults(virtual.method!, visitor) as Method }, { signal });
  };
  return { clock, connection, show, call };
}

function point(
  property: string,
  type: ValueType,
  visitor: Record<string, unknown>,
  of: { device?: string; station?: string } = {},
) {
  const address = of.station === undefined ? {} : { station: of.station };
  assert.deepEqual(checkSettings(virtual, { address, visitor }), []);
  return {
    ...{ device: of.device ?? "d", property, type, custom: {}, deviceCustom: {} },
    address: withDefaults(virtual.address, address),
    visitor: withDefaults(virtual.visitor, visitor),
  };
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

test("mapper.json is what the mapper says of itself; npm run generate writes it", async () => {
  const written = await readFile(join(import.meta.dirname, "../mapper.json"), "utf8");
  assert.equal(written, manifestText(virtual));
  assert.deepEqual(parseManifest(written), virtual.manifest);
});

test("signals follow the driver's clock", async () => {
  const { clock, show } = await open();
  const shape = { start: 10, amplitude: 4, step: 2.5, period: 1000 };
  const all = () =>
    Promise.all(
      ["constant", "counter", "sine", "sawtooth", "square", "held"].map((name) =>
        show(point(name, "float64", { ...shape, signal: name })),
      ),
    );
  assert.deepEqual(await all(), [10, 10, 10, 10, 10, 10]);
  clock.move(250);
  assert.deepEqual(await all(), [10, 10, 14, 11, 10, 10]);
  clock.move(500);
  assert.deepEqual(await all(), [10, 10, 6, 13, 14, 10]);
  clock.move(1250);
  assert.deepEqual(await all(), [10, 15, 10, 10, 10, 10]);
});

test("chance is the same for the same seed, another for another, and stays in its bounds", async () => {
  const random = point("r", "float64", { signal: "random", start: 5, amplitude: 2, period: 10 });
  const play = async (seed: number) => {
    const { clock, show } = await open({ seed });
    const seen: unknown[] = [];
    for (let i = 0; i < 200; i++) {
      seen.push(await show(random));
      clock.move(10);
    }
    return seen as number[];
  };
  const one = await play(1);
  assert.deepEqual(await play(1), one);
  assert.notDeepEqual(await play(2), one);
  assert.ok(one.every((value) => value >= 3 && value <= 7) && new Set(one).size > 190);
  assert.ok(Math.max(...one) > 6.8 && Math.min(...one) < 3.2);
});

// The reference system's sample has two text properties and names no signal at all.
test("the counter sample counts from what was set, and its status holds", async () => {
  const { clock, connection, show } = await open();
  const count = point("count", "string", { name: "count" });
  const status = point("status", "string", { name: "status" });
  assert.deepEqual([await show(count), await show(status)], ["0", "0"]);
  clock.move(3000);
  assert.equal(await show(count), "3");
  await connection.write(count, "40", { signal });
  await connection.write(status, "PAUSED", { signal });
  assert.deepEqual([await show(count), await show(status)], ["40", "PAUSED"]);
  clock.move(2500);
  assert.deepEqual([await show(count), await show(status)], ["42", "PAUSED"]);
});

test("devices share places by station only, properties by name", async () => {
  const { connection, show } = await open();
  const of = (device: string, station?: string) => ({ device, ...(station === undefined ? {} : { station }) });
  await connection.write(point("x", "int16", {}, of("a")), 5, { signal });
  await connection.write(point("x", "int16", {}, of("a", "s")), 6, { signal });
  assert.equal(await show(point("x", "int16", {}, of("b"))), 0);
  assert.equal(await show(point("y", "int32", { name: "x" }, of("b", "s"))), 6);
  assert.equal(await show(point("x", "int16", {}, of("a"))), 5);
});

test("methods set a place and reset a device, and tell what stood there", async () => {
  const { clock, show, call } = await open();
  const count = point("count", "uint64", {});
  clock.move(4000);
  assert.equal(await show(count), 4n);
  assert.equal(await call({ act: "set", name: "count" }, { value: 2n ** 63n }, "uint64"), 4n);
  clock.move(1000);
  assert.equal(await show(count), 2n ** 63n + 1n);
  assert.equal(await codeOf(call({ act: "set", name: "count" }, { value: "many" })), "mapper/value-out-of-range");
  assert.equal(await codeOf(call({ act: "set", name: "count" })), "mapper/unsupported");
  assert.equal(await call({ act: "reset" }), null);
  assert.equal(await show(count), 0n);
});

test("failRate is the share of readings that are bad, writes alike", async () => {
  const { connection, show } = await open({ failRate: 0.25 });
  const held = point("h", "float64", {});
  let bad = 0;
  for (let i = 0; i < 1000; i++) if ((await show(held)) === "mapper/device-failure") bad++;
  assert.ok(bad > 200 && bad < 300, `${bad} of 1000`);
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => codeOf(connection.write(held, 1, { signal }))));
  assert.deepEqual(new Set(outcomes), new Set(["no error", "mapper/device-failure"]));
});

test("an answer takes its delay; who gives up or closes does not wait for it", async () => {
  const { clock, connection, show } = await open({ delayMs: 500 });
  const held = point("h", "bool", {});
  const slow = show(held);
  clock.move(500);
  assert.equal(await slow, false);
  const abort = new AbortController();
  const given = codeOf(connection.read([held], { signal: abort.signal }));
  abort.abort();
  assert.equal(await given, "aborted");
  const open1 = codeOf(connection.read([held], { signal }));
  await connection.close();
  assert.equal(await open1, "aborted");
  assert.equal(await codeOf(connection.write(held, true, { signal })), "aborted");
});

test("a type that cannot hold the signal reads bad, and takes no value of another", async () => {
  const { connection, show } = await open();
  assert.equal(await show(point("c", "int8", { signal: "constant", start: 128 })), "mapper/value-out-of-range");
  assert.equal(await show(point("b", "bytes", {})), "mapper/value-out-of-range", "nothing was written yet");
  await connection.write(point("b", "bytes", {}), Uint8Array.of(1, 2), { signal });
  assert.deepEqual(await show(point("b", "bytes", {})), Uint8Array.of(1, 2));
  for (const [type, value] of [
    ["int8", 128],
    ["int16", 1.5],
    ["int64", 5],
    ["float32", 1e39],
    ["bool", 1],
    ["string", 7],
    ["json", null],
  ] as const) {
    assert.equal(await codeOf(connection.write(point("x", type, {}), value, { signal })), "mapper/value-out-of-range");
  }
});

test("a read of any point in any state is a value of its type or says why not", async () => {
  const types = ["bool", "int8", "int64", "uint64", "float32", "float64", "string"] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...types),
      fc.constantFrom("constant", "counter", "sine", "sawtooth", "square", "random", "held"),
      fc.record({
        start: fc.double({ noNaN: true }),
        step: fc.double({ noNaN: true }),
        amplitude: fc.double({ noNaN: true }),
      }),
      fc.integer({ min: 0, max: 10_000_000 }),
      async (type, name, numbers, ms) => {
        const finite = Object.fromEntries(Object.entries(numbers).filter(([, number]) => Number.isFinite(number)));
        const { clock, connection } = await open();
        clock.move(ms);
        const [result] = await connection.read([point("p", type, { signal: name, ...finite })], { signal });
        const { value, reason } = result!;
        if (value === null) assert.equal(reason, "mapper/value-out-of-range");
        else
          assert.equal(
            typeof value,
            type === "bool"
              ? "boolean"
              : type === "string"
                ? "string"
                : type.endsWith("t64") && type.includes("int")
                  ? "bigint"
                  : "number",
          );
      },
    ),
  );
});

test("virtual.subscribe tells the present value, then changes only, until nobody wants them", async () => {
  const clock = new ManualClock();
  const connection = (await virtual.open(withDefaults(virtual.connection, {}), openContext({ clock }))) as Opened &
    Subscribes<Address, Visitor>;
  const points = [point("count", "int32", { period: 1000 }), point("held", "float64", {})];
  const told: [number, Value][] = [];
  const ended = new AbortController();
  await connection.subscribe(points, {
    ...{ signal, ended: ended.signal },
    each: (row, { value }) => told.push([row, value]),
  });
  assert.deepEqual(told.splice(0), [
    [0, 0],
    [1, 0],
  ]);
  clock.move(1000);
  assert.deepEqual(told.splice(0), [[0, 1]]);
  await connection.write(points[1]!, 4.5, { signal });
  clock.move(100);
  assert.deepEqual(told.splice(0), [[1, 4.5]]);
  ended.abort();
  clock.move(5000);
  assert.deepEqual(told, []);
});
