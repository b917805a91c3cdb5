import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  batchFromSamples,
  type Epoch,
  type Layout,
  type Micros,
  type NodeIdentity,
  type Sample,
} from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

function committed(identity: NodeIdentity, layout: Layout, at: { time: Micros; value: number; seq: number }) {
  const sample: Sample = { property: "temperature", time: at.time, value: at.value, quality: "good", reason: null };
  const { batch } = batchFromSamples({ layout, samples: [sample] });
  return { ...identity, epoch: "e" as Epoch, firstSeq: at.seq, layout, batch };
}

test("a last value moves only forward, also when the store knows better than the first commit after a start", async () => {
  const { device, identity, uid } = await plant(bench, "k");
  const now = bench.clock.now();
  const at = (seconds: number) => (now + seconds * 1e6) as Micros;
  const layout: Layout = { id: 1, device: uid, properties: [{ name: "temperature", type: "float64" }] };
  const stored = { device: uid, property: "temperature", type: "float64", time: at(10), value: 10 } as const;
  bench.series.readings.push({ ...stored, quality: "good", reason: null });
  const shown = async () => {
    const twin = await bench.services.twins.get(system, { tenant, device });
    return twin.properties.find((one) => one.property === "temperature")?.reported?.value;
  };
  bench.services.onCommitted(committed(identity, layout, { time: at(5), value: 5, seq: 1 }));
  assert.equal(await shown(), 10);
  bench.services.onCommitted(committed(identity, layout, { time: at(20), value: 20, seq: 2 }));
  bench.services.onCommitted(committed(identity, layout, { time: at(15), value: 15, seq: 3 }));
  assert.equal(await shown(), 20);
});

test("live.subscribe() gives last values first, then news; a slow reader loses the oldest and is told", async () => {
  const { device, identity, uid } = await plant(bench, "l");
  const now = bench.clock.now();
  const layout: Layout = { id: 1, device: uid, properties: [{ name: "temperature", type: "float64" }] };
  const commit = (seq: number) =>
    bench.services.onCommitted(committed(identity, layout, { time: (now + seq) as Micros, value: seq, seq }));
  commit(1);
  const stop = new AbortController();
  const events = (
    await bench.services.live.subscribe(system, tenant, { devices: [device], properties: [] }, stop.signal)
  )[Symbol.asyncIterator]();
  const next = async () => (await events.next()).value;
  const value = (event: unknown) => (event as { data: { readings: { value: unknown }[] } }).data.readings[0]?.value;
  assert.equal(value(await next()), 1);
  commit(2);
  assert.equal(value(await next()), 2);
  for (let seq = 3; seq < 1103; seq++) commit(seq);
  await new Promise((resolve) => setImmediate(resolve));
  const dropped = await next();
  assert.deepEqual(dropped, { event: "dropped", data: { events: 100 } });
  assert.equal(value(await next()), 103);
  stop.abort();
  assert.equal(bench.services.live.streams, 0);
});
