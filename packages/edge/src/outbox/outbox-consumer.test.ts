import assert from "node:assert/strict";
import { test } from "node:test";
import {
  batchFromSamples,
  type DeviceUid,
  type Epoch,
  type Layout,
  type Micros,
  type Outbox,
  type ReadingBatch,
  readingsOf,
} from "@penstock/model";
import { silentLog } from "@penstock/runtime";
import { chooseRows, outboxConsumer } from "./outbox-consumer.ts";

const layout: Layout = {
  id: 0,
  device: "00000000000000000000000000000001" as DeviceUid,
  properties: [
    { name: "a", type: "float64" },
    { name: "b", type: "float64" },
    { name: "c", type: "string" },
  ],
};
function batchAt(time: number): ReadingBatch {
  const samples = layout.properties.map(({ name, type }) => ({
    ...{ property: name, time: time as Micros, quality: "good" as const, reason: null },
    value: type === "string" ? "x" : 1.5,
  }));
  return batchFromSamples({ layout, samples }).batch;
}

test("chooseRows() keeps the batch, part of it, or nothing", () => {
  const batch = batchAt(1);
  assert.equal(
    chooseRows(batch, () => true),
    batch,
  );
  assert.equal(
    chooseRows(batch, () => false),
    null,
  );
  const part = chooseRows(batch, (property) => property !== "b")!;
  assert.deepEqual(
    readingsOf(part).map((reading) => [reading.property, reading.value]),
    [
      ["a", 1.5],
      ["c", "x"],
    ],
  );
});

test("outboxConsumer keeps order, lets many appends share a sync, and makes the bus wait at its bound", async () => {
  const order: number[] = [];
  const release: (() => void)[] = [];
  const outbox = {
    append: (batch: ReadingBatch) => {
      order.push(batch.baseTime);
      return new Promise((resolve) => release.push(() => resolve({ epoch: "e" as Epoch, firstSeq: 1 })));
    },
  } as unknown as Outbox;
  const consumer = outboxConsumer({ outbox, toCloud: () => true, log: silentLog });
  let waiting: Promise<void> | null = null;
  let taken = 0;
  while (waiting === null) {
    taken += 1;
    const room = consumer.take(batchAt(taken));
    if (room instanceof Promise) waiting = room;
  }
  assert.equal(taken, 512);
  let resumed = false;
  const done = waiting.then(() => {
    resumed = true;
  });
  await Promise.resolve();
  assert.equal(resumed, false);
  release[0]!();
  await done;
  for (const free of release) free();
  await consumer.idle();
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
});
