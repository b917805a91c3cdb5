import assert from "node:assert/strict";
import { test } from "node:test";
import { type BusConsumer, batchFromSamples, type DeviceUid, type Micros, type ReadingBatch } from "@penstock/model";
import { type Log, metricsRegistry, silentLog } from "@penstock/runtime";
import fc from "fast-check";
import { createBus } from "./bus.ts";

const layout = {
  id: 1,
  device: "d1" as DeviceUid,
  properties: [
    { name: "a", type: "float64" },
    { name: "b", type: "float64" },
  ],
} as const;

/** Batch number n: two readings at time n. */
function batch(n: number): ReadingBatch {
  const time = n as Micros;
  const samples = ["a", "b"].map((property) => ({ property, time, value: n, quality: "good", reason: null }) as const);
  return batchFromSamples({ layout, samples }).batch;
}

/** A consumer whose every take waits until the test lets it go. */
function gated(name: string, bound: number, policy: BusConsumer["policy"]) {
  const seen: number[] = [];
  const gates: (() => void)[] = [];
  const consumer: BusConsumer = {
    name,
    bound,
    policy,
    take: ({ baseTime }) => {
      seen.push(baseTime);
      return new Promise<void>((resolve) => gates.push(resolve));
    },
  };
  const release = async () => {
    gates.shift()?.();
    await settled();
  };
  return { consumer, seen, release };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

async function isPending(promise: Promise<void>): Promise<boolean> {
  let ended = false;
  void promise.then(() => {
    ended = true;
  });
  await settled();
  return !ended;
}

function makeBus(log: Log = silentLog) {
  const metrics = metricsRegistry();
  const dropped = (consumer: string) =>
    metrics.counter("penstock_bus_dropped_readings_total", "Readings that a consumer never saw", { consumer }).value;
  return { bus: createBus({ log, metrics }), dropped };
}

test("bus.publish() waits for a full consumer with policy wait and loses nothing", async () => {
  const { bus, dropped } = makeBus();
  const slow = gated("slow", 2, "wait");
  bus.subscribe(slow.consumer);
  // One in hand, two queued: the fourth must wait.
  for (const n of [1, 2, 3]) assert.equal(await isPending(bus.publish(batch(n))), false);
  const fourth = bus.publish(batch(4));
  assert.equal(await isPending(fourth), true);
  await slow.release();
  assert.equal(await isPending(fourth), false);
  for (let i = 0; i < 3; i++) await slow.release();
  assert.deepEqual(slow.seen, [1, 2, 3, 4]);
  assert.equal(dropped("slow"), 0);
});

test("bus.publish() drops the oldest of a full drop-oldest consumer, counts the readings, and never waits", async () => {
  const { bus, dropped } = makeBus();
  const slow = gated("slow", 2, "drop-oldest");
  const quick: number[] = [];
  bus.subscribe(slow.consumer);
  bus.subscribe({ name: "quick", bound: 1, policy: "wait", take: ({ baseTime }) => void quick.push(baseTime) });
  for (const n of [1, 2, 3, 4, 5]) assert.equal(await isPending(bus.publish(batch(n))), false);
  for (let i = 0; i < 5; i++) await slow.release();
  assert.deepEqual(slow.seen, [1, 4, 5]);
  assert.equal(dropped("slow"), 4);
  assert.deepEqual(quick, [1, 2, 3, 4, 5]);
  assert.equal(dropped("quick"), 0);
});

test("a bus consumer that throws or rejects is logged once and harms no other", async () => {
  const lines: unknown[] = [];
  const log: Log = { ...silentLog, error: (fields) => void lines.push(fields.consumer) };
  const { bus } = makeBus(log);
  const seen: number[] = [];
  const wants: BusConsumer["policy"] = "wait";
  bus.subscribe({
    name: "throws",
    bound: 1,
    policy: wants,
    take: () => {
      throw new Error("no");
    },
  });
  bus.subscribe({ name: "rejects", bound: 1, policy: wants, take: () => Promise.reject(new Error("no")) });
  bus.subscribe({ name: "well", bound: 1, policy: wants, take: ({ baseTime }) => void seen.push(baseTime) });
  for (const n of [1, 2, 3]) {
    await bus.publish(batch(n));
    await settled();
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.deepEqual(lines, ["throws", "rejects"]);
});

test("bus: what a consumer publishes while it takes comes after the batch it takes, for everybody", async () => {
  const { bus } = makeBus();
  const seen: number[] = [];
  bus.subscribe({
    name: "twin",
    bound: 4,
    policy: "wait",
    take: ({ baseTime }) => void (baseTime < 100 && bus.publish(batch(baseTime + 100))),
  });
  bus.subscribe({ name: "outbox", bound: 4, policy: "wait", take: ({ baseTime }) => void seen.push(baseTime) });
  await bus.publish(batch(1));
  await bus.publish(batch(2));
  assert.deepEqual(seen, [1, 101, 2, 102]);
});

test("bus: leaving frees those who wait and nothing is delivered afterwards", async () => {
  const { bus } = makeBus();
  const slow = gated("slow", 1, "wait");
  const leave = bus.subscribe(slow.consumer);
  await bus.publish(batch(1));
  await bus.publish(batch(2));
  const third = bus.publish(batch(3));
  assert.equal(await isPending(third), true);
  leave();
  await third;
  await slow.release();
  assert.deepEqual(slow.seen, [1]);
});

test("bus: under random releases every consumer sees an ascending run; wait loses none, seen + dropped = published", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom("publish", "release-a", "release-b"), { maxLength: 60 }),
      async (bound, steps) => {
        const { bus, dropped } = makeBus();
        const a = gated("a", bound, "wait");
        const b = gated("b", bound, "drop-oldest");
        bus.subscribe(a.consumer);
        bus.subscribe(b.consumer);
        let n = 0;
        const waiting: Promise<void>[] = [];
        for (const step of steps) {
          if (step === "publish") waiting.push(bus.publish(batch(++n)));
          else await (step === "release-a" ? a : b).release();
        }
        for (let i = 0; i <= n; i++) {
          await a.release();
          await b.release();
        }
        await Promise.all(waiting);
        assert.deepEqual(
          a.seen,
          Array.from({ length: n }, (_, i) => i + 1),
        );
        assert.equal(b.seen.length + dropped("b") / 2, n);
        assert.ok(b.seen.every((seen, i) => i === 0 || seen > b.seen[i - 1]!));
      },
    ),
    { numRuns: 200 },
  );
});
