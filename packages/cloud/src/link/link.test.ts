import assert from "node:assert/strict";
import test from "node:test";
import { createLink, type Link, type LinkOptions } from "@penstock/edge";
import {
  AppError,
  type BootId,
  type BrowsedNode,
  batchFromSamples,
  type CallReport,
  type ConnectionUid,
  type DesiredReport,
  type DesiredValue,
  type Epoch,
  holds,
  limits,
  type Micros,
  type OwnMappers,
  type Ranges,
  readingsOf,
  type ToldMapper,
} from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom } from "@penstock/testkit";
import { decodeBatchBody, encodeBatchBody, type Transport } from "@penstock/wire";
import fc from "fast-check";
import {
  boot,
  emptyReport,
  type LineFaults,
  layout,
  MemoryCloudControl,
  MemoryEdgeControl,
  MemoryIngest,
  MemoryOutbox,
  memoryLine,
  peer,
} from "./link-fixture.ts";
import { createLinkServer } from "./link-server.ts";

function world(options: { seed?: number; link?: Partial<LinkOptions> } = {}) {
  const clock = new SimClock();
  const random = new SimRandom(options.seed ?? 1);
  const faults: LineFaults = { duplicate: 0, reorder: 0, isHalfOpen: false };
  const outbox = new MemoryOutbox();
  const ingest = new MemoryIngest();
  const edge = new MemoryEdgeControl();
  const cloud = new MemoryCloudControl();
  const server = createLinkServer({ ingest, control: cloud, clock, log: silentLog, metrics: metricsRegistry() });
  const metrics = metricsRegistry();
  let last: [Transport, Transport] | null = null;
  const ackedTooEarly: (readonly [number, number])[] = [];
  outbox.onAcknowledge = (ranges: Ranges) => {
    for (const [from, to] of ranges) if (!holds(ingest.committed, from, to)) ackedTooEarly.push([from, to]);
  };
  const connect = (more: Partial<LinkOptions> = {}): Link =>
    createLink({
      outbox,
      control: edge,
      mappers: { list: () => [], manifest: () => null, onChange: () => () => {} },
      browse: async () => [],
      report: () => emptyReport,
      async dial() {
        last = memoryLine({ clock, random, faults });
        server.accept(last[1], peer);
        return last[0];
      },
      clock,
      random,
      log: silentLog,
      metrics,
      boot,
      agentVersion: "0.1.0",
      timeTrusted: () => true,
      onTime() {},
      certificate: () => null,
      async onCertificate() {},
      ...options.link,
      ...more,
    });
  const cut = () => {
    last?.[0].close("cut");
    last?.[1].close("cut");
  };
  const end = async (link: Link) => {
    const closing = Promise.all([link.close(), server.close()]);
    await clock.advanceAsync(5000);
    await closing;
  };
  return { ackedTooEarly, clock, random, faults, outbox, ingest, edge, cloud, server, metrics, connect, cut, end };
}

test("link stores every entry exactly once, whatever cuts, repeats, swaps and failing commits do", async () => {
  const fault = fc.constantFrom("cut", "append", "append", "append-large", "fail-commit", "wait");
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1e9 }),
      fc.array(fault, { minLength: 3, maxLength: 25 }),
      fc.record({ duplicate: fc.constantFrom(0, 0.2), reorder: fc.constantFrom(0, 0.2) }),
      async (seed, steps, shape) => {
        const w = world({ seed });
        Object.assign(w.faults, shape);
        let failing = 0;
        w.ingest.beforeCommit = async () => {
          await new Promise<void>((resolve) => w.clock.after(w.random.number() * 30, resolve));
          if (failing-- > 0) throw new AppError("store/write-failed", "Cannot commit: the disk said no");
        };
        for (let i = 0; i < 5; i++) w.outbox.append({ count: 3, bytes: 500 });
        const link = w.connect();
        for (const step of steps) {
          if (step === "cut") w.cut();
          if (step === "append") for (let i = 0; i < 4; i++) w.outbox.append({ count: 1 + (i % 3), bytes: 300 });
          if (step === "append-large") w.outbox.append({ count: 3, bytes: 90_000 });
          if (step === "fail-commit") failing = 1;
          await w.clock.advanceAsync(w.random.number() * 200);
        }
        failing = 0;
        await w.clock.advanceAsync(200_000);
        const stored = w.ingest.stored.get(w.outbox.epoch)!;
        assert.equal(stored.size, w.outbox.highest);
        for (const [seq, times] of stored) assert.equal(times, 1, `seq ${seq} stored ${times} times`);
        assert.equal(w.outbox.entries.length, 0, "the outbox is empty at the end");
        assert.deepEqual(w.ackedTooEarly, [], "acknowledged before it was committed");
        await w.end(link);
      },
    ),
    { numRuns: 25 },
  );
});

test("link resumes from what is missing and counts what goes over the line again", async () => {
  const w = world();
  for (let i = 0; i < 10; i++) w.outbox.append({ count: 1, bytes: 100 });
  w.ingest.epoch = w.outbox.epoch;
  w.ingest.committed = [
    [1, 4],
    [6, 8],
  ];
  const link = w.connect();
  await w.clock.advanceAsync(1000);
  assert.deepEqual(w.ingest.order, [5, 9, 10]);
  assert.equal(w.outbox.entries.length, 0);
  await w.end(link);
});

test("link sends live before backlog, and backlog keeps a share", async () => {
  const w = world();
  for (let i = 0; i < 300; i++) w.outbox.append({ count: 1, bytes: 20_000 });
  const firstLive = w.outbox.highest + 1;
  w.ingest.beforeCommit = () => new Promise<void>((resolve) => w.clock.after(20, resolve));
  const link = w.connect();
  await w.clock.advanceAsync(100);
  for (let i = 0; i < 100; i++) w.outbox.append({ count: 1, bytes: 60_000 });
  await w.clock.advanceAsync(3000);
  const live = w.ingest.order.filter((seq) => seq >= firstLive);
  const places = live.map((seq) => w.ingest.order.indexOf(seq));
  const between = places.at(-1)! - places[0]! + 1 - live.length;
  assert.equal(live.length, 100);
  assert.ok(between > 5 && between < 80, `${between} backlog entries went between the first and the last live one`);
  assert.deepEqual(
    live,
    [...live].sort((a, b) => a - b),
    "live is in order",
  );
  const backlog = w.ingest.order.filter((seq) => seq < firstLive);
  assert.deepEqual(
    backlog,
    [...backlog].sort((a, b) => a - b),
    "backlog is in order",
  );
  await w.end(link);
});

test("link begins a new epoch when the cloud orders it", async () => {
  const w = world();
  w.outbox.append({ count: 3, bytes: 10 });
  const old = w.outbox.epoch;
  w.ingest.newEpochFor = old;
  const link = w.connect();
  await w.clock.advanceAsync(5000);
  assert.equal(w.outbox.newEpochs, 1);
  assert.equal(w.ingest.stored.get(old)?.size, 0);
  assert.equal(w.ingest.stored.get("1".padStart(32, "0") as Epoch)?.size, 3);
  await w.end(link);
});

test("link notices a half-open line on both sides within 20 s, and comes back", async () => {
  const w = world();
  const link = w.connect();
  await w.clock.advanceAsync(1000);
  assert.equal(w.server.isConnected(peer.node), true);
  w.faults.isHalfOpen = true;
  await w.clock.advanceAsync(20_000);
  assert.notEqual(link.state().phase, "connected");
  assert.equal(w.server.isConnected(peer.node), false);
  w.faults.isHalfOpen = false;
  await w.clock.advanceAsync(60_000);
  assert.equal(link.state().phase, "connected");
  await w.end(link);
});

test("link carries the assigned set, desired values and reports, each once and on disk before it is said", async () => {
  const w = world();
  const value: DesiredValue = {
    device: layout.device,
    property: "speed",
    type: "int64",
    value: 42n,
    version: 7,
    ttlMs: 60_000,
  };
  w.cloud.pending = [value];
  const link = w.connect();
  await w.clock.advanceAsync(1000);
  assert.equal(w.edge.version, 1);
  assert.equal(w.cloud.appliedVersion, 1);
  const ttlMs = w.edge.desired[0]!.ttlMs;
  assert.ok(ttlMs > 59_990 && ttlMs <= 60_000, `${ttlMs} ms are left: less the few on the way`);
  assert.deepEqual(w.edge.desired, [{ ...value, ttlMs }]);
  assert.deepEqual(w.cloud.pending, []);
  w.cloud.version = 2;
  w.server.assignedChanged(peer.node);
  w.cloud.pending = [{ ...value, version: 8, value: 2n ** 62n }];
  w.server.desiredChanged(peer.node);
  w.server.desiredChanged(peer.node);
  await w.clock.advanceAsync(1000);
  assert.equal(w.cloud.appliedVersion, 2);
  assert.deepEqual(w.edge.desired.at(-1)?.value, 2n ** 62n);
  assert.equal(w.edge.desired.length, 2);
  const report: DesiredReport = {
    device: layout.device,
    property: "speed",
    version: 8,
    state: "confirmed",
    reason: null,
    message: null,
    value: 2n ** 62n,
    type: "int64",
    time: w.clock.now(),
  };
  w.edge.report(report);
  await w.clock.advanceAsync(1000);
  assert.deepEqual(w.cloud.reports, [report]);
  assert.deepEqual(w.edge.reports, []);
  await w.clock.advanceAsync(10_000);
  assert.ok(w.cloud.statuses >= 2, "status goes up every few seconds");
  await w.end(link);
});

test("what is for a device of a new set comes after the set, also while sets wait for more of them", async () => {
  const w = world();
  const link = w.connect();
  await w.clock.advanceAsync(1000);
  w.cloud.version = 2;
  w.server.assignedChanged(peer.node);
  await w.clock.advanceAsync(20);
  w.cloud.version = 3;
  w.server.assignedChanged(peer.node);
  w.cloud.pending = [{ device: layout.device, property: "speed", type: "int64", value: 1n, version: 1, ttlMs: 60_000 }];
  w.server.desiredChanged(peer.node);
  for (let ms = 0; w.edge.desired.length === 0 && ms < 1000; ms++) await w.clock.advanceAsync(1);
  assert.deepEqual([w.edge.desired.length, w.edge.version], [1, 3]);

  w.cloud.version = 4;
  w.server.assignedChanged(peer.node);
  await w.clock.advanceAsync(20);
  w.cloud.version = 5;
  w.server.assignedChanged(peer.node);
  w.cloud.pendingCallList = [
    { id: "1".repeat(32), device: layout.device, method: "start", arguments: [], ttlMs: 5000 },
  ];
  w.server.callsChanged(peer.node);
  for (let ms = 0; w.edge.calls.length === 0 && ms < 1000; ms++) await w.clock.advanceAsync(1);
  assert.deepEqual([w.edge.calls.length, w.edge.version], [1, 5]);
  await w.end(link);
});

test("link carries calls once a session, their ends until they are taken, and who holds what", async () => {
  const w = world();
  const id = "1".repeat(32);
  const given = [{ name: "at", type: "uint64" as const, value: 2n ** 64n - 1n }];
  w.cloud.pendingCallList = [{ id, device: layout.device, method: "start", arguments: given, ttlMs: 5000 }];
  w.edge.held = [
    {
      ...{ device: layout.device, property: "speed", holder: "panel", type: "string", value: "on" },
      ...{ since: w.clock.now(), until: null },
    },
  ];
  const link = w.connect();
  await w.clock.advanceAsync(1000);
  assert.deepEqual(w.edge.calls[0]?.arguments, given);
  assert.ok(w.edge.calls[0]!.ttlMs <= 5000);
  assert.deepEqual(w.cloud.pendingCallList, []);
  assert.deepEqual(w.cloud.holds, w.edge.held);
  w.server.callsChanged(peer.node);
  await w.clock.advanceAsync(1000);
  assert.equal(w.edge.calls.length, 1);
  const report: CallReport = {
    ...{ id, device: layout.device, state: "done", reason: null, message: null, type: "int64", value: -(2n ** 63n) },
    ...{ steps: [{ property: "a", state: "written", reason: null, message: null }], time: w.clock.now() },
  };
  w.edge.endCall(report);
  w.edge.hold([]);
  await w.clock.advanceAsync(1000);
  assert.deepEqual(w.cloud.callReports, [report]);
  assert.deepEqual(w.edge.callReports, []);
  assert.deepEqual(w.cloud.holds, []);
  w.cut();
  w.cloud.callReports = [];
  w.edge.callReports = [report];
  await w.clock.advanceAsync(10_000);
  assert.deepEqual(w.cloud.callReports, [report], "what was not taken is told again in the next session");
  await w.end(link);
});

// A manifest may be 1 MiB, so it goes in parts on a lane that stands behind readings.
test("link tells which mappers there are, gives the manifests that are asked for, and each once", async () => {
  const big = new Uint8Array(limits.manifestBytes).fill(7);
  const manifests = new Map([
    ["a".repeat(64), big],
    ["b".repeat(64), new Uint8Array([1])],
  ]);
  let told: ToldMapper[] = [...manifests.keys()].map((hash, i) => ({ name: `m${i}`, version: "1.0.0", hash }));
  let onChange = () => {};
  const given: string[] = [];
  const mappers: OwnMappers = {
    list: () => told,
    manifest(hash) {
      given.push(hash);
      return manifests.get(hash) ?? null;
    },
    onChange(listener) {
      onChange = listener;
      return () => {};
    },
  };
  const w = world({ link: { mappers } });
  w.faults.duplicate = 0.3;
  w.faults.reorder = 0.3;
  const link = w.connect();
  await w.clock.advanceAsync(5000);
  assert.deepEqual(w.cloud.mappers, told);
  assert.deepEqual(w.cloud.manifests, manifests);
  // One that is asked for and gone is left unanswered; readings and the session go on.
  told = [...told, { name: "m2", version: "1.0.0", hash: "c".repeat(64) }];
  onChange();
  await w.clock.advanceAsync(1000);
  assert.deepEqual(w.cloud.mappers, told);
  assert.deepEqual(
    given.map((hash) => hash[0]),
    ["a", "b", "c"],
  );
  assert.equal(link.state().phase, "connected");
  w.cut();
  await w.clock.advanceAsync(10_000);
  assert.deepEqual(
    given.map((hash) => hash[0]),
    ["a", "b", "c", "c"],
    "the next session asks for what is still missing",
  );
  await w.end(link);
});

test("link carries more desired values than fit one message", async () => {
  const w = world();
  const value = "x".repeat(60_000);
  w.cloud.pending = Array.from({ length: 200 }, (_, i) => ({
    ...{ device: layout.device, property: `p${i}`, type: "string", value, version: 1, ttlMs: 60_000 },
  }));
  const link = w.connect();
  await w.clock.advanceAsync(10_000);
  assert.equal(w.edge.desired.length, 200);
  assert.equal(w.cloud.connected, 1);
  await w.end(link);
});

test("an assigned set beyond one message raises an alarm; readings flow all the same, and a smaller one clears it", async () => {
  const w = world();
  const smallSet = w.cloud.assigned.bind(w.cloud);
  const custom = { notes: "x".repeat(9 * 1024 * 1024) };
  w.cloud.assigned = async () => {
    const device = {
      uid: layout.device,
      name: "d",
      generation: 1,
      connection: "c",
      address: {},
      custom,
      properties: [],
    };
    // The cast: only its size matters here.
    return { ...(await smallSet()), devices: [device] } as unknown as Awaited<ReturnType<typeof smallSet>>;
  };
  const link = w.connect();
  await w.clock.advanceAsync(1000);
  w.outbox.append({ count: 3, bytes: 10 });
  await w.clock.advanceAsync(2000);
  assert.deepEqual([...w.cloud.alarms.keys()], ["link/frame-too-large assigned"]);
  assert.equal(w.cloud.connected, 1);
  assert.deepEqual(w.outbox.acked, [[1, 3]]);
  w.cloud.assigned = smallSet;
  w.cloud.version = 2;
  w.server.assignedChanged(peer.node);
  await w.clock.advanceAsync(1000);
  assert.equal(w.edge.version, 2);
  assert.equal(w.cloud.alarms.size, 0);
  await w.end(link);
});

test("link tries a desired value again that the gateway's disk refused, within the session and its time to live", async () => {
  const w = world();
  const desired: DesiredValue = {
    ...{ device: layout.device, property: "speed", type: "float64", value: 1, version: 1 },
    ttlMs: 60_000,
  };
  w.cloud.pending = [desired];
  const take = w.edge.takeDesired.bind(w.edge);
  let refusals = 2;
  w.edge.takeDesired = async (values) => {
    if (refusals-- > 0) throw new AppError("data/disk-full", "Cannot write journal: the disk is full");
    await take(values);
  };
  const link = w.connect();
  await w.clock.advanceAsync(5000);
  assert.equal(w.ingest.begun, 1, "the session went on");
  assert.deepEqual(
    w.edge.desired.map(({ version, ttlMs }) => ({ version, ttlMs: Math.round(ttlMs / 100) * 100 })),
    [{ version: 1, ttlMs: 58_000 }],
  );
  assert.deepEqual(w.cloud.pending, []);
  await w.end(link);
});

test("link refuses a node that is not authorized, and tries again later", async () => {
  const w = world();
  w.cloud.refusal = new AppError("link/not-authorized", "Cannot open session: the certificate is revoked");
  const link = w.connect();
  await w.clock.advanceAsync(400);
  assert.equal(link.state().code, "link/not-authorized");
  assert.equal(w.ingest.begun, 0);
  w.cloud.refusal = null;
  await w.clock.advanceAsync(60_000);
  assert.equal(link.state().phase, "connected");
  await w.end(link);
});

test("link names what the outbox dropped before the cloud had it, once", async () => {
  const w = world();
  let isStalled = false;
  w.ingest.beforeCommit = async () => {
    while (isStalled) await new Promise<void>((resolve) => w.clock.after(10, resolve));
  };
  const link = w.connect();
  await w.clock.advanceAsync(1000);
  isStalled = true;
  for (let i = 0; i < 20; i++) w.outbox.append({ count: 1, bytes: 30_000 });
  await w.clock.advanceAsync(100);
  w.outbox.dropTo(15);
  await w.clock.advanceAsync(3000);
  assert.equal(w.cloud.alarms.size, 0, "what is under way may still arrive");
  isStalled = false;
  await w.clock.advanceAsync(5000);
  const [alarm] = w.cloud.alarms.values();
  assert.equal(alarm?.code, "ingest/gap");
  const lost = Array.from({ length: 20 }, (_, i) => i + 1).filter((seq) => !w.ingest.order.includes(seq));
  assert.equal(alarm?.key, `${w.outbox.epoch}:${lost[0]}-${lost.at(-1)}`);
  await w.end(link);
});

test("a second session with the same certificate closes the first, and two in turns raise link/duplicate-node", async () => {
  const w = world();
  const other = "c".repeat(32) as BootId;
  const first = w.connect();
  await w.clock.advanceAsync(1000);
  assert.equal(w.cloud.alarms.size, 0);
  const second = w.connect({ boot: other, outbox: new MemoryOutbox() });
  await w.clock.advanceAsync(100);
  assert.equal(first.state().code, "link/replaced");
  await w.clock.advanceAsync(60_000);
  assert.ok(w.cloud.alarms.has("link/duplicate-node boot"));
  await second.close();
  await w.clock.advanceAsync(700_000);
  assert.equal(w.cloud.alarms.has("link/duplicate-node boot"), false, "cleared once it is quiet for ten minutes");
  await w.end(first);
});

test("readings taken before the time was known are corrected once, those of another boot are left", async () => {
  const w = world();
  const uncertain = (of: BootId, monotonic: number) =>
    encodeBatchBody(
      batchFromSamples({
        layout,
        clock: { boot: of, monotonic },
        samples: ["a", "b"].map((property, i) => ({
          property,
          time: (1_000_000 + i * 10) as Micros,
          value: 1.5,
          quality: "uncertain",
          reason: i === 0 ? "clock/not-set" : "mapper/timeout",
        })),
      }).batch,
    );
  w.outbox.append({ count: 2, bytes: 0, body: uncertain(boot, 500_000) });
  const link = w.connect();
  await w.clock.advanceAsync(1000);
  const [a, b] = readingsOf(decodeBatchBody(layout, w.ingest.lastBody!));
  const wall = w.clock.now() - w.clock.monotonic() + 500_000;
  assert.ok(Math.abs(a!.time - wall) < 5000, `${a!.time} is about ${wall}`);
  assert.equal(b!.time - a!.time, 10);
  assert.deepEqual([a!.quality, a!.reason], ["good", null]);
  assert.deepEqual([b!.quality, b!.reason], ["uncertain", "mapper/timeout"]);
  assert.equal(decodeBatchBody(layout, w.ingest.lastBody!).clock, null);
  const foreign = uncertain("d".repeat(32) as BootId, 0xc0);
  w.outbox.append({ count: 2, bytes: 0, body: foreign });
  await w.clock.advanceAsync(1000);
  assert.equal(Buffer.compare(w.ingest.lastBody!, foreign), 0);
  await w.end(link);
});

test("link renews a certificate past two thirds of its life", async () => {
  const certificates: string[] = [];
  const w = world();
  const now = w.clock.now();
  const link = w.connect({
    certificate: () => ({
      publicKeyDer: new Uint8Array(91),
      notBefore: (now - 21 * 86_400e6) as Micros,
      notAfter: (now + 9 * 86_400e6) as Micros,
    }),
    onCertificate: async ({ certificatePem }) => {
      certificates.push(certificatePem);
    },
  });
  await w.clock.advanceAsync(10_000);
  assert.deepEqual(certificates, ["new certificate"]);
  await w.end(link);
});

test("link asks the gateway what a connection has, gives its answer or its error, and none when it has gone", async () => {
  const connection = "c1" as ConnectionUid;
  let answer = async (): Promise<readonly BrowsedNode[]> => [];
  const asked: unknown[] = [];
  const browse = (...question: unknown[]) => {
    asked.push(question);
    return answer();
  };
  const w = world({ link: { browse } });
  await assert.rejects(w.server.browse(peer.node, connection, []), { code: "link/closed" });
  const link = w.connect();
  await w.clock.advanceAsync(2000);
  const found = { name: "level", path: ["tank", "level"] };
  answer = async () => [found];
  const nodes = w.server.browse(peer.node, connection, ["tank"]);
  await w.clock.advanceAsync(1000);
  assert.deepEqual(await nodes, [found]);
  assert.deepEqual(asked, [[connection, ["tank"]]]);
  answer = async () => {
    throw new AppError("mapper/unsupported", "Cannot browse");
  };
  const refused = assert.rejects(w.server.browse(peer.node, connection, []), { code: "mapper/unsupported" });
  await w.clock.advanceAsync(1000);
  await refused;
  answer = () => new Promise(() => {});
  const many = Array.from({ length: 17 }, () => w.server.browse(peer.node, connection, []));
  await assert.rejects(many[16]!, { code: "request/too-many" });
  const gone = Promise.all(many.slice(0, 16).map((one) => assert.rejects(one, { code: "link/closed" })));
  w.cut();
  await w.clock.advanceAsync(20_000);
  await gone;
  await w.end(link);
});
