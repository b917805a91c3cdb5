import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObjectValue } from "@penstock/rules";
import { SimClock, SimRandom, settle, simDisk } from "@penstock/testkit";
import { Delivery } from "./delivery.ts";
import { FakeCourier, outputOf, takeAll, testParts, watched } from "./delivery-fixture.ts";
import type { DeliverySpec } from "./delivery-settings.ts";

function bench(spec: DeliverySpec, given: { disk?: ReturnType<typeof simDisk>; courier?: FakeCourier } = {}) {
  const clock = new SimClock();
  const disk = given.disk ?? simDisk({ random: new SimRandom(2) });
  const courier = given.courier ?? new FakeCourier();
  const tested = testParts({ clock, random: new SimRandom(3), files: disk.files });
  const delivery = new Delivery({ kind: "fake", spec, courier, parts: tested.parts });
  const numbers = () => courier.got.map((rows) => rows.map(({ n }) => n).join("+"));
  return { ...tested, clock, disk, courier, delivery, numbers };
}
const n = (value: number): ObjectValue => ({ n: value });
const from = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => outputOf(n(first + i)));

test("take() resolves when the peer has the result, not before", async () => {
  const { courier, delivery, clock, counted } = bench({ retry: { first: "10s" } });
  courier.isUp = false;
  const seen = watched(delivery.take(outputOf(n(1))));
  await settle();
  assert.equal(seen.isDone, false);
  courier.isUp = true;
  await clock.advanceAsync(10_000);
  assert.equal(seen.isDone, true);
  assert.deepEqual([counted("retries"), counted("delivered_rows")], [1, 1]);
});

test("pauses double up to the longest, and a little chance is in them", async () => {
  const { courier, delivery, clock } = bench({ retry: { first: "1s", longest: "4s", attempts: 6 } });
  courier.isUp = false;
  const tries: number[] = [];
  const { send } = courier;
  courier.send = (parcel) => {
    tries.push(clock.monotonic() / 1000);
    return send.call(courier, parcel);
  };
  void delivery.take(outputOf(n(1)));
  await clock.advanceAsync(60_000);
  const pauses = tries.slice(1).map((at, i) => at - tries[i]!);
  assert.equal(pauses.length, 6);
  for (const [i, most] of [1000, 2000, 4000, 4000, 4000, 4000].entries()) {
    assert.ok(pauses[i]! >= most / 2 && pauses[i]! <= most + 1, `pause ${i} is ${pauses[i]}`);
  }
  assert.ok(new Set(pauses.slice(2)).size > 1, "not all alike");
});

test("rows of one address go together, up to the size of the batch or after its linger", async () => {
  const { delivery, numbers, clock } = bench({ batch: { rows: 4, linger: "2s" } });
  const rows = [1, 2, 3, 4, 5].map((one) => ({ n: one, to: one % 2 === 0 ? "even" : "odd" }));
  const seen = watched(delivery.take(outputOf(...rows)));
  await settle();
  assert.deepEqual(numbers(), ["1+3", "2+4"]);
  await clock.advanceAsync(1_999);
  assert.equal(seen.isDone, false);
  await clock.advanceAsync(1);
  assert.deepEqual(numbers(), ["1+3", "2+4", "5"]);
  assert.equal(seen.isDone, true);
});

test("what goes beyond the bound in memory is dropped, the oldest first, counted and settled", async () => {
  const { courier, delivery, counted } = bench({});
  courier.isUp = false;
  const first = watched(delivery.take(outputOf(n(0))));
  await settle();
  void takeAll(delivery, from(1, 1_005));
  await settle();
  assert.deepEqual([counted("dropped_rows"), first.isDone], [6, true]);
});

test("while nobody can be reached results go to the disk, and after that to the peer in their order", async () => {
  const { courier, delivery, clock, numbers, counted, metrics } = bench({ cache: {}, retry: { first: "1s" } });
  courier.isUp = false;
  const seen = from(1, 5).map((output) => watched(delivery.take(output)));
  await clock.advanceAsync(400);
  assert.deepEqual(
    seen.map(({ isDone }) => isDone),
    [true, true, true, true, true],
  );
  assert.equal(counted("cached_rows"), 5);
  assert.match(metrics.expose(), /penstock_rules_cache_messages 5/);
  courier.isUp = true;
  await takeAll(delivery, from(6, 7));
  await clock.advanceAsync(2_000);
  assert.deepEqual(numbers(), ["1", "2", "3", "4", "5", "6", "7"]);
  assert.match(metrics.expose(), /penstock_rules_cache_messages 0/);
});

test("newest-first: what comes now goes first, and of what waited the newest", async () => {
  const { courier, delivery, clock, numbers } = bench({ cache: { order: "newest-first" }, retry: { first: "1s" } });
  courier.isUp = false;
  await takeAll(delivery, from(1, 3));
  const { send } = courier;
  courier.isUp = true;
  // One more comes while the first of the disk is under way.
  courier.send = async (parcel) => {
    if (courier.got.length === 0) void delivery.take(outputOf(n(9)));
    return await send.call(courier, parcel);
  };
  await clock.advanceAsync(2_000);
  assert.deepEqual(numbers(), ["3", "9", "2", "1"]);
});

test("a restart finds what waited, and a row without a peer survives close()", async () => {
  const disk = simDisk({ random: new SimRandom(5) });
  const before = bench({ cache: {}, retry: { first: "1h" } }, { disk });
  before.courier.isUp = false;
  await takeAll(before.delivery, from(1, 3));
  const closed = before.delivery.close();
  await before.clock.advanceAsync(3_000);
  await closed;
  disk.crash();
  const after = bench({ cache: {} }, { disk });
  await takeAll(after.delivery, from(4, 4));
  await after.clock.advanceAsync(1_000);
  assert.deepEqual(after.numbers(), ["1", "2", "3", "4"]);
});

test("a full cache loses its oldest, and says how much", async () => {
  const { courier, delivery, clock, numbers, counted, metrics } = bench({
    cache: { bytes: 65_536 },
    retry: { first: "1s" },
  });
  courier.isUp = false;
  for (let at = 0; at < 200; at++) await delivery.take(outputOf({ n: at, text: "x".repeat(1000) }));
  const dropped = counted("dropped_rows");
  assert.ok(dropped > 130 && dropped < 150, `${dropped} of 200 kB of rows in 64 KiB`);
  assert.match(metrics.expose(), /dropped_rows_total\{rule="hot",action="0-fake",reason="cache-full"\}/);
  courier.isUp = true;
  await clock.advanceAsync(120_000);
  assert.deepEqual([numbers()[0], numbers().at(-1), numbers().length], [`${dropped}`, "199", 200 - dropped]);
});

test("a disk that is full keeps results in memory until it has room", async () => {
  const { courier, delivery, clock, disk, numbers, counted } = bench({ cache: {}, retry: { first: "1h" } });
  await settle();
  courier.isUp = false;
  disk.capacity = disk.used;
  const seen = from(1, 3).map((output) => watched(delivery.take(output)));
  await clock.advanceAsync(6_000);
  assert.equal(seen[0]!.isDone, false);
  disk.capacity = Number.POSITIVE_INFINITY;
  await clock.advanceAsync(5_000);
  assert.deepEqual([seen.every(({ isDone }) => isDone), counted("cached_rows")], [true, 3]);
  courier.isUp = true;
  await clock.advanceAsync(3_600_000);
  assert.deepEqual(numbers(), ["1", "2", "3"]);
});

test("a row that is refused does not hold up the others of its message", async () => {
  const { courier, delivery, numbers, counted, published } = bench({ send: "list", deadLetter: "dead" });
  courier.refuses = ({ n: one }) => one === 2;
  await delivery.take(outputOf(n(1), n(2), n(3)));
  assert.deepEqual([numbers(), counted("given_up_rows"), counted("delivered_rows")], [["1+3"], 1, 2]);
  assert.match(published[0]!.text, /"reason":"not that".*"row":\{"n":2\}/);
});

test("what was tried too often is given up from the cache too", async () => {
  const { courier, delivery, clock, counted } = bench({
    cache: {},
    retry: { attempts: 2, first: "1s", longest: "1s" },
  });
  courier.isUp = false;
  await takeAll(delivery, from(1, 3));
  await clock.advanceAsync(60_000);
  assert.deepEqual([counted("given_up_rows"), counted("retries")], [3, 9]);
});

test("close() without a cache ends, and says what nobody took", async () => {
  const { courier, delivery, clock, counted } = bench({ batch: { rows: 10, linger: "1h" } });
  courier.isUp = false;
  const seen = watched(delivery.take(outputOf(n(1), n(2))));
  const closed = delivery.close();
  await clock.advanceAsync(2_000);
  await closed;
  assert.deepEqual([seen.isDone, counted("dropped_rows")], [false, 2]);
});

test("what is in flight while memory overflows to the disk is still the first, should it come back", async () => {
  const { courier, delivery, clock, numbers, counted } = bench({ cache: {}, retry: { first: "1s" } });
  let fail = () => {};
  const { send } = courier;
  courier.send = async (parcel) => {
    courier.send = send;
    await new Promise<void>((resolve) => {
      fail = resolve;
    });
    courier.isUp = false;
    return await send.call(courier, parcel);
  };
  void takeAll(delivery, from(1, 1));
  await settle();
  void takeAll(delivery, from(2, 600));
  await settle();
  assert.ok(counted("cached_rows") >= 500);
  fail();
  await settle();
  courier.isUp = true;
  await clock.advanceAsync(20_000);
  assert.deepEqual(
    numbers(),
    Array.from({ length: 600 }, (_, i) => String(i + 1)),
  );
});

test("an action that takes the place of another waits for its cache, and delivers what was left there", async () => {
  const disk = simDisk({ random: new SimRandom(6) });
  const before = bench({ cache: {}, retry: { first: "1h" } }, { disk });
  before.courier.isUp = false;
  await takeAll(before.delivery, from(1, 2));
  const after = bench({ cache: {} }, { disk });
  void takeAll(after.delivery, from(3, 3));
  await after.clock.advanceAsync(1_000);
  assert.deepEqual(after.numbers(), []);
  const closed = before.delivery.close();
  await before.clock.advanceAsync(3_000);
  await closed;
  await after.clock.advanceAsync(1_000);
  assert.deepEqual(after.numbers(), ["1", "2", "3"]);
});
