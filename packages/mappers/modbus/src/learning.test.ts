/** What the mapper learns of a device that refuses addresses, counted at the simulated device. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ManualClock, openContext, readsInto, withDefaults } from "@penstock/mapper-sdk";
import { planReads, type Value } from "@penstock/model";
import { MemoryUnit, ModbusServer, SparseUnit, withHoles } from "@penstock/testkit";
import { modbus } from "./index.ts";
import type { ModbusPoint } from "./point.ts";

const signal = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers) await close();
});

function point(offset: number): ModbusPoint {
  const visitor = withDefaults(modbus.visitor, { table: "holding", offset });
  const named = { device: "d", property: `r${offset}`, custom: {}, deviceCustom: {} };
  return { ...named, type: "uint16", address: { unitId: 1 }, visitor };
}

async function stage(unit: MemoryUnit, offsets: readonly number[]) {
  for (let at = 0; at < unit.holding.length; at++) unit.holding[at] = at;
  const clock = new ManualClock();
  const server = await ModbusServer.listen({ units: new Map([[1, unit]]) });
  const connection = await modbus.open(
    withDefaults(modbus.connection, { host: server.host, port: server.port }),
    openContext({ clock }),
  );
  closers.push(
    () => connection.close(),
    () => server.close(),
  );
  assert.ok(readsInto(connection));
  const points = offsets.map(point);
  const read = async () => {
    const before = server.stats.requests;
    const values: Value[] = points.map(() => null);
    const reasons = new Set<string>();
    const sink = {
      at() {},
      good: (row: number, value: Value) => {
        values[row] = value;
      },
      bad: (_row: number, reason: string) => {
        reasons.add(reason);
      },
    };
    await connection.readInto(points, sink, { signal });
    return { values, reasons: [...reasons], requests: server.stats.requests - before };
  };
  return { clock, server, read };
}

test("readInto() of every third register with 5 % illegal addresses soon asks no more than must be asked", async () => {
  const size = 3000;
  const exists = withHoles(5, 7);
  const offsets = Array.from({ length: size / 3 }, (_, i) => i * 3);
  const { read } = await stage(new SparseUnit({ holding: size }, exists), offsets);
  const expected = offsets.map((at) => (exists("holding", at) ? at : null));

  const first = await read();
  assert.deepEqual(first.values, expected);
  assert.deepEqual(first.reasons, ["mapper/bad-address"]);
  let last = first;
  for (let cycle = 0; cycle < 8; cycle++) last = await read();
  assert.deepEqual(last.values, expected);

  // The least that avoids every address that does not exist, those between the points included.
  const cuts = Array.from({ length: size }, (_, at) => at).flatMap((at) => (exists("holding", at) ? [] : [at, at + 1]));
  const legal = offsets.filter((at) => exists("holding", at)).map((start) => ({ start, length: 1 }));
  const least = planReads(legal, { maxLength: 125, cost: { fixed: 5000, perUnit: 0.16 }, cuts: [...new Set(cuts)] });
  assert.ok(last.requests <= least.length * 1.1, `${last.requests} requests, ${least.length} would do`);
  // Each illegal address costs about two requests for each halving of a request's points.
  const illegal = cuts.length / 2;
  assert.ok(
    first.requests <= 24 + illegal * 2 * Math.log2(42),
    `${first.requests} requests to learn ${illegal} addresses`,
  );
});

test("readInto() asks a refused register again after a minute, then after two, and notices when the device has gained it", async () => {
  let isThere = false;
  const unit = new MemoryUnit({ holding: 20 });
  const memory = unit.readRegisters.bind(unit);
  const hole = new SparseUnit({ holding: 20 }, (_, at) => at !== 5);
  unit.readRegisters = (table, start, count) => (isThere ? memory : hole.readRegisters.bind(hole))(table, start, count);
  hole.holding.set(Array.from({ length: 20 }, (_, at) => at));
  const { clock, read } = await stage(unit, [4, 5, 6]);
  await read();
  assert.equal((await read()).requests, 2);
  clock.move(61_000);
  assert.equal((await read()).requests, 3, "one more after a minute");
  assert.equal((await read()).requests, 2);
  clock.move(61_000);
  assert.equal((await read()).requests, 2, "not again after another minute");
  clock.move(61_000);
  isThere = true;
  assert.deepEqual((await read()).values, [4, 5, 6]);
  assert.equal((await read()).requests, 1, "read together again");
});

test("readInto() takes busy and failing for passing: nothing is split, nothing remembered", async () => {
  const { server, read } = await stage(new MemoryUnit({ holding: 20 }), [4, 5, 6]);
  for (const exception of ["deviceBusy", "deviceFailure"] as const) {
    server.hook = () => ({ kind: "exception", exception });
    const { requests, values } = await read();
    assert.deepEqual([requests, values], [1, [null, null, null]]);
    server.hook = null;
    assert.deepEqual(await read(), { requests: 1, values: [4, 5, 6], reasons: [] });
  }
});
