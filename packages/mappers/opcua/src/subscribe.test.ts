import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { PointResult } from "@penstock/mapper-sdk";
import { codeOf, defaultLine } from "@penstock/model";
import { DataType, StatusCodes } from "node-opcua-client";
import { CutProxy } from "../test/cut-proxy.ts";
import { type Opened, openFor, point, realClock } from "../test/open-for.ts";
import { PlantServer } from "../test/plant-server.ts";

let plant: PlantServer;
const signal = new AbortController().signal;
before(async () => {
  plant = await PlantServer.start({ counters: 50 });
});
after(() => plant.stop());

/** What a subscription told, and a way to wait for more of it. */
function listener() {
  const told: { row: number; result: PointResult }[] = [];
  let check = () => {};
  const each = (row: number, result: PointResult) => {
    told.push({ row, result });
    check();
  };
  const until = (isEnough: () => boolean, what: string) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what} did not come; told ${told.length}`)), 30_000);
      check = () => {
        if (!isEnough()) return;
        clearTimeout(timer);
        resolve();
      };
      check();
    });
  const values = (row: number) => told.filter((one) => one.row === row).map(({ result }) => result.value);
  return { told, each, until, values, ended: new AbortController() };
}

async function subscribed(connection: Opened, names: readonly string[], visitor: Record<string, unknown> = {}) {
  const listening = listener();
  const points = names.map((name) => point(name, "uint32", { publishing: 50, sampling: 0, queue: 1000, ...visitor }));
  await connection.subscribe(points, { signal, ended: listening.ended.signal, each: listening.each });
  return listening;
}

test("opcua.subscribe() tells the present value, then every change in order, with the time of its source", async () => {
  const { connection, close, lost } = await openFor(plant.url);
  plant.raise(0);
  const { told, until, values, ended } = await subscribed(connection, ["count0", "count1"]);
  await until(() => told.length === 2, "the present values");
  // The present value has stood for long; it counts as read when it was subscribed to.
  for (const { result } of told) {
    assert.ok(result.time === undefined && Math.abs(result.monotonic! - realClock.monotonic()) < 10_000_000);
  }
  const begin = Date.now() * 1000;
  for (let i = 1; i <= 200; i++) plant.raise(i);
  await until(() => told.length === 402, "all changes");
  assert.deepEqual(
    values(0),
    Array.from({ length: 201 }, (_, i) => i),
  );
  assert.deepEqual(values(1), values(0));
  const times = told.slice(2).map(({ result }) => result.time!);
  assert.ok(
    times.every((time) => Number.isInteger(time) && time >= begin - 20_000 && time <= Date.now() * 1000 + 20_000),
  );
  ended.abort();
  await wait(200);
  plant.raise(999);
  await wait(300);
  assert.equal(told.length, 402);
  assert.deepEqual(lost, []);
  await close();
});

test("one subscription serves an interval, and goes with its last item", async () => {
  const { connection, close } = await openFor(plant.url);
  const count = () => plant.server.engine.currentSubscriptionCount;
  const first = await subscribed(connection, ["count0"]);
  const second = await subscribed(connection, ["count1"]);
  const third = await subscribed(connection, ["count1"], { publishing: 80 });
  assert.equal(count(), 2);
  first.ended.abort();
  third.ended.abort();
  await wait(200);
  assert.equal(count(), 1);
  plant.raise(5);
  await second.until(() => second.values(0).at(-1) === 5, "the change");
  await close();
  assert.equal(count(), 0);
});

test("a node that is not there is bad; where none is there, the subscription fails", async () => {
  const { connection, close } = await openFor(plant.url);
  const some = await subscribed(connection, ["count0", "nothing"]);
  await some.until(() => some.told.length === 2, "both");
  assert.deepEqual(some.told.find(({ row }) => row === 1)?.result, { value: null, reason: "mapper/bad-address" });
  assert.equal(await subscribed(connection, ["nothing"]).then(() => "ok", codeOf), "mapper/bad-address");
  assert.equal(plant.server.engine.currentSubscriptionCount, 1);
  await close();
});

test("a dead band keeps small changes at the server, absolute and in percent of the range", async () => {
  const { connection, close } = await openFor(plant.url);
  const furnace = plant.server.engine.addressSpace!.findNode(`ns=${plant.namespace.index};s=Furnace.Temperature`)!;
  const set = async (value: number) => {
    (furnace as unknown as (typeof plant.counters)[0])!.setValueFromSource({ dataType: DataType.Double, value });
    await wait(150);
  };
  await set(20);
  const listening = listener();
  const visitor = { publishing: 50, sampling: 0 };
  const points = [
    point("Furnace.Temperature", "float64", { ...visitor, deadband: 5 }),
    // 5 % of 0..200
    point("Furnace.Temperature", "float64", { ...visitor, deadband: 5, deadbandKind: "percent" }),
    point("count0", "uint32", { ...visitor, deadband: 5, deadbandKind: "percent" }),
  ];
  await connection.subscribe(points, { signal, ended: listening.ended.signal, each: listening.each });
  await listening.until(() => listening.told.length === 3, "the present values");
  for (const value of [24, 26, 31, 32]) await set(value);
  await set(99);
  await listening.until(() => listening.values(1).at(-1) === 99, "the last");
  assert.deepEqual(listening.values(0), [20, 26, 32, 99]);
  assert.deepEqual(listening.values(1), [20, 31, 99]);
  assert.equal(listening.told.find(({ row }) => row === 2)?.result.reason, "mapper/unsupported");
  await close();
});

test("bad and uncertain news carry their quality", async () => {
  const { connection, close } = await openFor(plant.url);
  const news = await subscribed(connection, ["count2"]);
  await news.until(() => news.told.length === 1, "the present value");
  plant.counters[2]!.setValueFromSource(
    { dataType: DataType.UInt32, value: 7 },
    StatusCodes.UncertainSensorNotAccurate,
  );
  plant.counters[2]!.setValueFromSource({ dataType: DataType.UInt32, value: 7 }, StatusCodes.BadSensorFailure);
  await news.until(() => news.told.length === 3, "both");
  const [, uncertain, bad] = news.told.map(({ result: { time: _, monotonic: __, ...rest } }) => rest);
  assert.deepEqual(uncertain, { value: 7, quality: "uncertain" });
  assert.deepEqual(bad, { value: null, reason: "mapper/device-failure" });
  await close();
});

// What the issue promises: after a cut shorter than the server's queue, every change, once, in order.
for (const how of ["torn", "silent"] as const) {
  test(`a ${how} line loses, doubles and swaps nothing that the server's queue holds`, async () => {
    const proxy = new CutProxy(() => plant.port);
    const port = await proxy.listen();
    const { connection, close, lost } = await openFor(`opc.tcp://127.0.0.1:${port}`);
    plant.raise(0);
    const names = plant.counters.map((_, i) => `count${i}`);
    const news = await subscribed(connection, names);
    await news.until(() => news.told.length === names.length, "the present values");
    let value = 0;
    const raising = setInterval(() => plant.raise(++value), 5);
    for (let round = 0; round < 3; round++) {
      await wait(200 + 70 * round);
      if (how === "torn") proxy.cut();
      else {
        proxy.isMute = true;
        await wait(400);
        proxy.cut();
      }
      await wait(150 + 300 * round);
      const before = news.told.length;
      proxy.heal();
      await news.until(() => news.told.length > before, "news after the cut");
    }
    clearInterval(raising);
    plant.raise(++value);
    await news.until(() => names.every((_, row) => news.values(row).at(-1) === value), "the last change");
    for (const row of names.keys()) {
      assert.deepEqual(
        news.values(row),
        Array.from({ length: value + 1 }, (_, i) => i),
        `row ${row}`,
      );
    }
    assert.deepEqual(lost, []);
    assert.ok(proxy.connections >= 4);
    await close();
    await proxy.close();
  });
}

test("a line on which nothing changes is not taken for a cut one, and one that was cut tells nothing twice", async (t) => {
  const proxy = new CutProxy(() => plant.port);
  t.after(() => proxy.close());
  const port = await proxy.listen();
  const line = { ...defaultLine, timeoutMs: 1000, connectTimeoutMs: 1000 };
  const { connection, close, lost } = await openFor(`opc.tcp://127.0.0.1:${port}`, {}, { line });
  t.after(close);
  plant.raise(7);
  const news = await subscribed(connection, ["count0", "count1"]);
  plant.raise(8);
  await news.until(() => news.told.length === 4, "the change");
  await wait(4000);
  assert.equal(proxy.connections, 1);
  proxy.cut();
  await wait(200);
  proxy.heal();
  await wait(4000);
  assert.deepEqual(
    [news.values(0), news.values(1)],
    [
      [7, 8],
      [7, 8],
    ],
  );
  plant.counters[0]!.setValueFromSource({ dataType: DataType.UInt32, value: 9 });
  await news.until(() => news.told.length === 5, "the next change");
  assert.deepEqual([news.values(0), lost], [[7, 8, 9], []]);
});

test("a read while the line is cut is a time-out, not the end of the subscription", async () => {
  const proxy = new CutProxy(() => plant.port);
  const port = await proxy.listen();
  const { connection, close, lost } = await openFor(`opc.tcp://127.0.0.1:${port}`);
  const news = await subscribed(connection, ["count0"]);
  proxy.cut();
  await wait(50);
  assert.equal(
    await connection.read([point("count0", "uint32")], { signal }).then(() => "ok", codeOf),
    "mapper/timeout",
  );
  proxy.heal();
  plant.raise(31337);
  await news.until(() => news.values(0).at(-1) === 31337, "the change");
  assert.equal((await connection.read([point("count0", "uint32")], { signal }))[0]?.value, 31337);
  assert.deepEqual(lost, []);
  await close();
  await proxy.close();
});

test("without subscriptions a cut ends the connection at once; with them after the time that they are held", async () => {
  const proxy = new CutProxy(() => plant.port);
  const port = await proxy.listen();
  const idle = await openFor(`opc.tcp://127.0.0.1:${port}`);
  const busy = await openFor(`opc.tcp://127.0.0.1:${port}`, { holdMs: 1000 });
  await subscribed(busy.connection, ["count0"]);
  proxy.cut();
  await wait(300);
  assert.deepEqual([idle.lost, busy.lost], [["mapper/connection-lost"], []]);
  assert.equal(
    await idle.connection.read([point("count0", "uint32")], { signal }).then(() => "ok", codeOf),
    "mapper/connection-lost",
  );
  await wait(1000);
  assert.deepEqual(busy.lost, ["mapper/connection-lost"]);
  await Promise.all([idle.close(), busy.close(), proxy.close()]);
});

test("a restarted server is told as a lost connection, and on the next one namespaces may have other numbers", async () => {
  const first = await PlantServer.start();
  const { port } = first;
  const before = await openFor(first.url);
  const news = await subscribed(before.connection, ["count0"]);
  await news.until(() => news.told.length === 1, "the present value");
  await first.stop();
  const second = await PlantServer.start({ port, namespacesBefore: 3 });
  for (let i = 0; i < 100 && before.lost.length === 0; i++) await wait(100);
  assert.deepEqual(before.lost, ["mapper/connection-lost"]);
  assert.equal(news.told.length, 1);
  await before.close();
  const again = await openFor(second.url);
  const later = await subscribed(again.connection, ["count0"]);
  for (let i = 1; i <= 20; i++) second.raise(i);
  await later.until(() => later.told.length === 21, "every change");
  assert.deepEqual(
    later.values(0),
    Array.from({ length: 21 }, (_, i) => i),
  );
  await again.close();
  await second.stop();
});

test("1,000 items that change ten times a second all arrive", async () => {
  const big = await PlantServer.start({ counters: 1000 });
  const { connection, close } = await openFor(big.url);
  const names = big.counters.map((_, i) => `count${i}`);
  const news = await subscribed(connection, names, { publishing: 100, queue: 10 });
  await news.until(() => news.told.length === 1000, "the present values");
  const changes = 20;
  for (let i = 1; i <= changes; i++) {
    big.raise(i);
    await wait(100);
  }
  await news.until(() => news.told.length === 1000 * (changes + 1), "all changes");
  const byRow = Map.groupBy(news.told, ({ row }) => row);
  for (const told of byRow.values()) {
    assert.deepEqual(
      told.map(({ result }) => result.value),
      Array.from({ length: changes + 1 }, (_, i) => i),
    );
  }
  await close();
  await big.stop();
});
