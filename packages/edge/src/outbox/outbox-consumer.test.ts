import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AppError,
  batchFromSamples,
  type DeviceUid,
  type Epoch,
  type Layout,
  type Micros,
  type Outbox,
  type ReadingBatch,
} from "@penstock/model";
import { silentLog } from "@penstock/runtime";
import { outboxConsumer } from "./outbox-consumer.ts";

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

test("outboxConsumer keeps order, lets many appends share a sync, and makes the bus wait at its bound", async () => {
  const order: number[] = [];
  const release: (() => void)[] = [];
  const outbox = {
    append: (batch: ReadingBatch) => {
      order.push(batch.baseTime);
      return new Promise((resolve) => release.push(() => resolve({ epoch: "e" as Epoch, firstSeq: 1 })));
    },
  } as unknown as Outbox;
  const consumer = outboxConsumer({ outbox, reports: null, log: silentLog });
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

test("outboxConsumer says of which readings the outbox refused, so that they count as never reported", async () => {
  const outbox = {
    append: (batch: ReadingBatch) =>
      batch.baseTime === 2 ? Promise.reject(new AppError("outbox/full", "No room")) : Promise.resolve({}),
  } as unknown as Outbox;
  const refused: number[] = [];
  const reports = {
    choose: (batch: ReadingBatch) => (batch.baseTime === 3 ? null : batch),
    refused: (batch: ReadingBatch) => void refused.push(batch.baseTime),
  };
  const consumer = outboxConsumer({ outbox, reports, log: silentLog });
  for (const time of [1, 2, 3, 4]) void consumer.take(batchAt(time));
  await consumer.idle();
  assert.deepEqual(refused, [2]);
});
