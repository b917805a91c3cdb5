import assert from "node:assert/strict";
import { test } from "node:test";
import { createLiveQueue } from "./live-queue.ts";

function queueOf(options: { bound: number; weightBound: number }) {
  let drops = 0;
  const queue = createLiveQueue<number>({ ...options, weightOf: (item) => item, onDrop: () => void drops++ });
  const rest = async () => {
    queue.close();
    const items: number[] = [];
    for await (const item of queue) items.push(item);
    return { items, drops };
  };
  return { queue, rest };
}

// A stream of devices with a thousand properties each would hold hundreds of megabytes if only events were counted.
test("push() lets the oldest go when what waits is too heavy, however few items it is", async () => {
  const { queue, rest } = queueOf({ bound: 1000, weightBound: 10 });
  for (const item of [4, 4, 2, 3]) queue.push(item);
  assert.deepEqual(await rest(), { items: [4, 2, 3], drops: 1 });
});

test("push() keeps the newest even when it alone is too heavy", async () => {
  const { queue, rest } = queueOf({ bound: 1000, weightBound: 10 });
  for (const item of [1, 50]) queue.push(item);
  assert.deepEqual(await rest(), { items: [50], drops: 1 });
});

test("what was read weighs no more", async () => {
  const { queue, rest } = queueOf({ bound: 1000, weightBound: 10 });
  const reader = queue[Symbol.asyncIterator]();
  for (let i = 0; i < 5; i++) {
    queue.push(9);
    assert.equal((await reader.next()).value, 9);
  }
  queue.push(10);
  assert.deepEqual(await rest(), { items: [10], drops: 0 });
});
