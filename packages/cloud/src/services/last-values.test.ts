import assert from "node:assert/strict";
import { test } from "node:test";
import {
  batchFromSamples,
  type CommittedBatch,
  type DeviceUid,
  type Epoch,
  type Layout,
  type Micros,
  type NodeUid,
  type Reading,
  type TenantUid,
} from "@penstock/model";
import { createLastValues } from "./last-values.ts";

const tenant = "t" as TenantUid;
const names = ["a", "b", "c"];
const layouts = new Map<string, Layout>();
function layoutOf(device: string): Layout {
  const known = layouts.get(device);
  if (known !== undefined) return known;
  const properties = names.map((name) => ({ name, type: "float64" as const }));
  const layout = { id: 1, device: device as DeviceUid, properties };
  layouts.set(device, layout);
  return layout;
}
/** One reading of each property, `jitter` microseconds apart; the value tells the sequence number. */
function tick(device: string, at: { seq: number; time: number; jitter?: number }): CommittedBatch {
  const layout = layoutOf(device);
  const samples = names.map((property, i) => {
    const time = (at.time + i * (at.jitter ?? 0)) as Micros;
    return { property, time, value: at.seq + i, quality: "good" as const, reason: null };
  });
  const { batch } = batchFromSamples({ layout, samples });
  return { tenant, node: "n" as NodeUid, epoch: "e" as Epoch, firstSeq: at.seq, layout, batch };
}
function store() {
  const readings: Reading[] = [];
  const asked: string[] = [];
  let answer = Promise.resolve();
  const latest = async (_: TenantUid, series: readonly { device: DeviceUid; property: string }[]) => {
    asked.push(series[0]!.device);
    const found = readings.filter((r) => series.some((s) => s.device === r.device && s.property === r.property));
    await answer;
    return found;
  };
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = promise;
    return resolve;
  };
  return { latest, readings, asked, hold };
}
const valuesOf = async (last: ReturnType<typeof createLastValues>, device: string) =>
  [...(await last.get(tenant, device as DeviceUid, names)).values()].map(({ value }) => value);

test("take() keeps one batch of a device whose readings come a little apart", async () => {
  const last = createLastValues(store());
  for (let i = 0; i < 10; i++) last.take(tick("d", { seq: 1 + i * 3, time: 1_000_000 + i * 1000, jitter: 100 }));
  assert.equal(last.held, 3);
  assert.deepEqual(await valuesOf(last, "d"), [28, 29, 30]);
});

test("take() keeps both of two batches that overlap in time, and each property goes forward by itself", async () => {
  const last = createLastValues(store());
  last.take(tick("d", { seq: 1, time: 1000, jitter: 500 }));
  last.take(tick("d", { seq: 4, time: 1400, jitter: 0 }));
  assert.deepEqual(await valuesOf(last, "d"), [4, 2, 3]);
});

test("what is held is bounded by readings: the device touched longest ago is read from the store again", async () => {
  const behind = store();
  const last = createLastValues(behind, 7);
  for (const device of ["d1", "d2"]) last.take(tick(device, { seq: 1, time: 1000 }));
  await valuesOf(last, "d1");
  last.take(tick("d3", { seq: 1, time: 1000 }));
  assert.equal(last.held, 6);
  behind.asked.length = 0;
  await valuesOf(last, "d1");
  assert.deepEqual(behind.asked, []);
  await valuesOf(last, "d2");
  assert.deepEqual(behind.asked, ["d2"]);
  assert.equal(last.lastTime("d2" as DeviceUid), 1000);
});

test("get() asks the store once for all who ask meanwhile", async () => {
  const behind = store();
  const last = createLastValues(behind);
  await Promise.all([valuesOf(last, "d"), valuesOf(last, "d"), valuesOf(last, "d")]);
  assert.deepEqual(behind.asked, ["d"]);
});

test("get() does not take the store's answer for the last word when the device was forgotten meanwhile", async () => {
  const behind = store();
  const last = createLastValues(behind, 3);
  const answer = behind.hold();
  const early = valuesOf(last, "d1");
  last.take(tick("d1", { seq: 1, time: 1000 }));
  last.take(tick("d2", { seq: 1, time: 1000 }));
  answer();
  await early;
  const { batch } = tick("d1", { seq: 1, time: 1000 });
  const reading = { device: batch.layout.device, type: "float64", time: 1000 as Micros } as const;
  behind.readings.push({ ...reading, property: "a", value: 1, quality: "good", reason: null });
  assert.deepEqual(await valuesOf(last, "d1"), [1]);
});
