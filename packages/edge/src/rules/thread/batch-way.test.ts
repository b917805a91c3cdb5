import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { batchFromSamples, type DeviceUid, type Layout, type Micros } from "@penstock/model";
import { BatchUnpacker, type PackedBatches } from "./batch-packs.ts";
import { BatchWay } from "./batch-way.ts";

const layout: Layout = { id: 0, device: "a" as DeviceUid, properties: [{ name: "n", type: "int32" }] };
const batch = (n: number) =>
  batchFromSamples({
    layout,
    samples: [{ property: "n", time: 1_700_000_000_000_000 as Micros, value: n, quality: "good", reason: null }],
  }).batch;

/** A thread that says when it has had a message. */
function farEnd() {
  const unpacker = new BatchUnpacker();
  const messages: number[][] = [];
  const ends: { resolve(): void; reject(error: Error): void }[] = [];
  const send = (packed: PackedBatches) => {
    messages.push(unpacker.unpack(packed).map(({ columns }) => columns.find((one) => one !== undefined)![0] as number));
    return new Promise<void>((resolve, reject) => ends.push({ resolve, reject }));
  };
  return { messages, ends, send };
}

test("what comes while a message is under way goes with the next, in its order", async () => {
  const way = new BatchWay({ lost: () => assert.fail("lost") });
  const far = farEnd();
  way.take(batch(1));
  way.open(far.send);
  for (const n of [2, 3, 4]) assert.equal(way.take(batch(n)), undefined);
  assert.deepEqual(far.messages, [[1]]);
  far.ends[0]!.resolve();
  await turn();
  assert.deepEqual(far.messages, [[1], [2, 3, 4]]);
});

test("who gives too much is told to wait until there is room, and nothing of it is lost", async () => {
  const way = new BatchWay({ lost: () => assert.fail("lost") });
  const far = farEnd();
  let waits: void | Promise<void>;
  let given = 0;
  for (; waits! === undefined; given++) waits = way.take(batch(given));
  assert.equal(given, 256);
  let isRoom = false;
  void waits!.then(() => {
    isRoom = true;
  });
  await turn();
  assert.equal(isRoom, false);
  way.open(far.send);
  await turn();
  assert.equal(isRoom, true);
  assert.deepEqual(far.messages, [Array.from({ length: given }, (_, n) => n)]);
});

test("of a thread that is lost what was under way is counted, and the next one gets the rest", async () => {
  const lost: number[] = [];
  const way = new BatchWay({ lost: (readings) => lost.push(readings) });
  const [before, after] = [farEnd(), farEnd()];
  way.open(before.send);
  for (const n of [1, 2, 3]) way.take(batch(n));
  way.pause();
  before.ends[0]!.reject(new Error("gone"));
  await turn();
  assert.deepEqual([lost, before.messages], [[1], [[1]]]);
  way.take(batch(4));
  way.open(after.send);
  assert.deepEqual(after.messages, [[2, 3, 4]]);
});
