import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addRange,
  type BootId,
  batchFromSamples,
  type CommittedBatch,
  type DeviceUid,
  type Epoch,
  type IngestEntry,
  type IngestHello,
  type Layout,
  limits,
  type Micros,
  type NodeUid,
  type Ranges,
  type Sample,
  type TenantUid,
  type ValueType,
} from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { simSeriesStore } from "@penstock/testkit";
import { encodeBatchBody } from "@penstock/wire";
import fc from "fast-check";
import { createIngest } from "./create-ingest.ts";
import { lostBelow, needsNewEpoch } from "./epoch.ts";
import { createLayoutUse } from "./layout-use.ts";
import { ingestMetrics } from "./metrics.ts";

const identity = { tenant: "t1" as TenantUid, node: "n1" as NodeUid };
const types: ValueType[] = ["bool", "int64", "float64", "float64", "string"];
const layout: Layout = {
  id: 1,
  device: "d1" as DeviceUid,
  properties: types.map((type, i) => ({ name: `p${i}`, type })),
};
const hello: IngestHello = {
  boot: "b1" as BootId,
  epoch: "e1" as Epoch,
  lowest: 1,
  highest: 0,
  recovered: 0,
  settled: [],
};

/** An entry of all five properties whose values tell their sequence number. */
function entry(firstSeq: number, device: Layout = layout): IngestEntry {
  const samples = device.properties.map(({ name, type }, row): Sample => {
    const seq = firstSeq + row;
    const value = { bool: seq % 2 === 1, int64: BigInt(seq), float64: seq / 10, string: `s${seq}` }[type as "bool"];
    return { property: name, time: (seq * 1000) as Micros, value, quality: "good", reason: null };
  });
  const { batch } = batchFromSamples({ layout: device, samples });
  return { firstSeq, count: batch.count, layout: device, body: encodeBatchBody(batch) };
}
function setUp(options: { readonly assigned?: boolean } = {}) {
  const sim = simSeriesStore();
  const committed: CommittedBatch[] = [];
  const unassigned: DeviceUid[] = [];
  const metrics = metricsRegistry();
  const start = () =>
    createIngest({
      store: sim.store,
      wasAssigned: async () => options.assigned ?? true,
      onCommitted: (batch) => void committed.push(batch),
      onUnassigned: (_, device) => void unassigned.push(device),
      log: silentLog,
      metrics,
    });
  return { sim, committed, unassigned, metrics, start };
}
const seqsOf = (sim: ReturnType<typeof simSeriesStore>) =>
  sim
    .readings()
    .map((r) => r.seq)
    .sort((a, b) => a - b);
const count = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("submit() resolves with what it was handed, once it is in the store", async () => {
  const { sim, committed, start } = setUp();
  const session = await start().begin(identity, hello);
  assert.deepEqual(await session.submit([entry(1), entry(6)]), [[1, 10]]);
  assert.deepEqual(seqsOf(sim), count(1, 10));
  assert.deepEqual(
    committed.map((batch) => batch.firstSeq),
    [1, 6],
  );
});

test("submit() is not resolved before the commit", async () => {
  const steps: string[] = [];
  const gate = Promise.withResolvers<void>();
  const sim = simSeriesStore({ step: (name) => (name === "store.commit" ? gate.promise : Promise.resolve()) });
  const ingest = createIngest({
    store: sim.store,
    wasAssigned: async () => true,
    onCommitted: () => void steps.push("committed"),
    log: silentLog,
    metrics: metricsRegistry(),
  });
  const session = await ingest.begin(identity, hello);
  const answered = session.submit([entry(1)]).then(() => steps.push("acknowledged"));
  // The same readings again, while the first are on their way: they must wait for the same commit.
  const again = session.submit([entry(1)]).then(() => steps.push("acknowledged again"));
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.deepEqual(steps, []);
  gate.resolve();
  await Promise.all([answered, again]);
  assert.deepEqual(steps, ["committed", "acknowledged", "acknowledged again"]);
  assert.deepEqual(seqsOf(sim), count(1, 5));
});

test("submit() stores only the new part of an entry that overlaps, with every value in its place", async () => {
  const { sim, start } = setUp();
  const wide: Layout = { ...layout, properties: layout.properties.slice(0, 3) };
  const session = await start().begin(identity, hello);
  await session.submit([entry(3, wide)]);
  await session.submit([entry(1), entry(5)]);
  assert.deepEqual(seqsOf(sim), count(1, 9));
  for (const reading of sim.readings()) {
    const { seq, type, value, time } = reading;
    assert.equal(time, seq * 1000);
    const expected = { bool: seq % 2 === 1, int64: BigInt(seq), float64: seq / 10, string: `s${seq}` }[type as "bool"];
    assert.equal(value, expected);
  }
});

test("a failed commit acknowledges nothing, ends the session and is made good by the next one", async () => {
  const { sim, start } = setUp();
  const session = await start().begin(identity, hello);
  await session.submit([entry(1)]);
  sim.failNextCommit("data/disk-full");
  const results = await Promise.allSettled([session.submit([entry(6)]), session.submit([entry(11)])]);
  assert.deepEqual(
    results.map((r) => r.status === "rejected" && (r.reason as { code: string }).code),
    ["data/disk-full", "data/disk-full"],
  );
  await assert.rejects(session.submit([entry(16)]), { code: "data/disk-full" });
  const next = await start().begin(identity, { ...hello, highest: 15 });
  assert.deepEqual(next.held, [[1, 5]]);
  await next.submit([entry(6), entry(11)]);
  assert.deepEqual(seqsOf(sim), count(1, 15));
});

test("a newer session fences the older one", async () => {
  const { sim, start } = setUp();
  const ingest = start();
  const older = await ingest.begin(identity, hello);
  const newer = await ingest.begin(identity, { ...hello, epoch: "e2" as Epoch });
  await assert.rejects(older.submit([entry(1)]), { code: "ingest/fenced" });
  await newer.submit([entry(1)]);
  assert.deepEqual(seqsOf(sim), count(1, 5));
});

test("a malformed entry stores nothing of its message", async () => {
  const { sim, start } = setUp();
  const session = await start().begin(identity, hello);
  const damaged = { ...entry(6), body: entry(6).body.subarray(0, 20) };
  await assert.rejects(session.submit([entry(1), damaged]), { code: "link/bad-frame" });
  await assert.rejects(session.submit([{ ...entry(6), count: 4 }]), { code: "link/bad-frame" });
  await assert.rejects(session.submit([{ ...entry(6), firstSeq: 0 }]), { code: "link/bad-frame" });
  assert.deepEqual(seqsOf(sim), []);
});

test("readings of a device that was never the node's are acknowledged, counted and not stored", async () => {
  const { sim, metrics, unassigned, start } = setUp({ assigned: false });
  const session = await start().begin(identity, hello);
  assert.deepEqual(await session.submit([entry(1)]), [[1, 5]]);
  assert.deepEqual(seqsOf(sim), []);
  assert.match(metrics.expose(), /penstock_ingest_unassigned_total 5/);
  assert.deepEqual(unassigned, [layout.device]);
  assert.deepEqual((await start().begin(identity, { ...hello, highest: 5 })).held, [[1, 5]]);
});

test("end() lets nothing more in", async () => {
  const { sim, start } = setUp();
  const session = await start().begin(identity, hello);
  session.end();
  await assert.rejects(session.submit([entry(1)]), { code: "link/closed" });
  assert.deepEqual(seqsOf(sim), []);
});

test("a gap below the gateway's lowest is reported until a commit has recorded it, then never again", async () => {
  const { start } = setUp();
  const late = { ...hello, lowest: 11, highest: 20, recovered: 20 };
  assert.deepEqual((await start().begin(identity, late)).gap, [[1, 10]]);
  const session = await start().begin(identity, late);
  assert.deepEqual(session.gap, [[1, 10]]);
  await session.submit([entry(11)]);
  assert.deepEqual((await start().begin(identity, late)).gap, []);
});

test("a new epoch goes on counting without a gap", async () => {
  const { start } = setUp();
  await (await start().begin(identity, hello)).submit([entry(1), entry(6)]);
  const shrunk = { ...hello, boot: "b2" as BootId, lowest: 1, highest: 5, recovered: 5 };
  const refused = await start().begin(identity, shrunk);
  assert.equal(refused.newEpoch, true);
  await assert.rejects(refused.submit([entry(6)]), { code: "link/bad-frame" });
  const settled: Ranges = [[1, 5]];
  const next = await start().begin(identity, { ...shrunk, epoch: "e2" as Epoch, lowest: 6, highest: 5, settled });
  assert.deepEqual([next.newEpoch, next.gap], [false, []]);
});

test("needsNewEpoch() judges a boot by what its outbox held at the start until it has committed", () => {
  const held = { ranges: [[1, 100]] as Ranges };
  const grown = { ...hello, boot: "b2" as BootId, highest: 150, recovered: 90 };
  assert.equal(needsNewEpoch({ ...held, lastBoot: "b1" as BootId }, grown), true);
  assert.equal(needsNewEpoch({ ...held, lastBoot: "b2" as BootId }, grown), false);
  assert.equal(needsNewEpoch({ ...held, lastBoot: "b1" as BootId }, { ...grown, recovered: 100 }), false);
  assert.equal(needsNewEpoch({ ranges: [], lastBoot: null }, { ...hello, highest: 5 }), false);
});

test("an order for a new epoch stands until the gateway has heard it", async () => {
  const { start } = setUp();
  await (await start().begin(identity, hello)).submit([entry(1), entry(6)]);
  const shrunk = { ...hello, boot: "b2" as BootId, highest: 5, recovered: 5 };
  assert.equal((await start().begin(identity, shrunk)).newEpoch, true);
  // The order was lost with the connection; the outbox has meanwhile grown over the cloud's mark with other readings.
  assert.equal((await start().begin(identity, { ...shrunk, highest: 50 })).newEpoch, true);
});

test("readings that a fresh outbox dropped are a gap, whatever an older outbox of the node has brought", async () => {
  const { start } = setUp();
  await (await start().begin(identity, hello)).submit([entry(1), entry(6)]);
  const fresh = { ...hello, boot: "b2" as BootId, epoch: "e2" as Epoch, lowest: 4, highest: 20 };
  assert.deepEqual((await start().begin(identity, fresh)).gap, [[1, 3]]);
});

test("what older epochs of the same outbox hold is no gap, and what it dropped before the order is one", async () => {
  const { start } = setUp();
  const session = await start().begin(identity, hello);
  await session.submit([entry(6)]);
  await session.submit([entry(16)]);
  // Its disk lost 18 to 20, and it dropped up to 3 before it could say so; then 18 to 24 were numbered anew.
  const shrunk = { ...hello, boot: "b2" as BootId, lowest: 4, highest: 24, recovered: 17 };
  const ordered = await start().begin(identity, shrunk);
  assert.deepEqual([ordered.newEpoch, ordered.gap], [true, [[1, 3]]]);
  const settled: Ranges = [
    [1, 3],
    [6, 10],
    [16, 17],
  ];
  const next = { ...shrunk, epoch: "e2" as Epoch, lowest: 20, settled };
  const lost: Ranges = [
    [4, 5],
    [11, 15],
    [18, 19],
  ];
  assert.deepEqual((await start().begin(identity, next)).gap, lost);
});

test("a node that leaves holes without end is stopped, and one that fills them is not", async () => {
  const { sim, metrics, start } = setUp();
  const one: Layout = { ...layout, properties: layout.properties.slice(0, 1) };
  const session = await start().begin(identity, { ...hello, highest: 10_000, recovered: 10_000 });
  const holes = Array.from({ length: limits.rangesPerEpoch }, (_, i) => entry(2 * i + 1, one));
  await session.submit(holes);
  await assert.rejects(session.submit([entry(9001, one)]), { code: "request/too-many" });
  assert.match(metrics.expose(), /penstock_ingest_limited_total\{limit="rangesPerEpoch"\} 1/);
  await session.submit([entry(2, one)]);
  assert.equal(seqsOf(sim).length, limits.rangesPerEpoch + 1);
});

test("a node that makes up layouts without end is stopped", () => {
  const use = createLayoutUse(ingestMetrics(metricsRegistry()));
  for (let id = 1; id <= limits.layoutsPerNode; id++) use.count(identity.node, id, layout);
  use.count(identity.node, 1, layout);
  assert.throws(() => use.count(identity.node, 0, layout), { code: "request/too-many" });
  use.count("n2" as NodeUid, 0, layout);
  const wide = { ...layout, properties: { length: limits.layoutPropertiesPerNode } as unknown as Layout["properties"] };
  assert.throws(() => use.count("n2" as NodeUid, 1, wide), { code: "request/too-many" });
});

test("lostBelow() names the holes below lowest only", () => {
  const ranges: Ranges = [
    [1, 5],
    [9, 20],
  ];
  const of = { ranges, nodeRanges: ranges, lastBoot: hello.boot };
  const late = { ...hello, lowest: 15, highest: 20 };
  assert.deepEqual(lostBelow(of, late), [[6, 8]]);
  assert.deepEqual(lostBelow(of, { ...late, lowest: 1 }), []);
  // A gateway that does not say is judged by all epochs of its node.
  assert.deepEqual(lostBelow({ ...of, ranges: [] }, { ...late, settled: null }), [[6, 8]]);
});

test("lostBelow() under a new numbering takes nothing above `recovered` for these readings", () => {
  const of = { ranges: [[1, 20]] as Ranges, nodeRanges: [[1, 20]] as Ranges, lastBoot: null };
  assert.deepEqual(lostBelow(of, { ...hello, lowest: 15, highest: 30, recovered: 12 }), [[13, 14]]);
});

test("whatever is submitted, in whatever order and however often, is stored once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ first: fc.integer({ min: 1, max: 60 }), crash: fc.boolean() }), { maxLength: 30 }),
      async (steps) => {
        const { sim, start } = setUp();
        let session = await start().begin(identity, { ...hello, highest: 1000, recovered: 1000 });
        let acknowledged: Ranges = [];
        const waiting: Promise<void>[] = [];
        for (const { first, crash } of steps) {
          if (crash) {
            sim.crash();
            session = await start().begin(identity, { ...hello, highest: 1000, recovered: 1000 });
          }
          const submitted = session.submit([entry(first), entry(first + 3)]).then((ranges) => {
            for (const [from, to] of ranges) acknowledged = addRange(acknowledged, from, to);
          });
          if (!crash) waiting.push(submitted);
        }
        for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
        const seqs = seqsOf(sim);
        assert.equal(new Set(seqs).size, seqs.length, "stored twice");
        const stored = new Set(seqs);
        for (const [from, to] of acknowledged) for (let s = from; s <= to; s++) assert.ok(stored.has(s), `lost ${s}`);
      },
    ),
    { numRuns: 100 },
  );
});
