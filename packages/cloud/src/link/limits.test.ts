import assert from "node:assert/strict";
import test from "node:test";
import { AppError, limits } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom } from "@penstock/testkit";
import { type AnyMessage, decodeFrame, decodeMessage, encodeFrame, encodeMessage } from "@penstock/wire";
import { boot, layout, MemoryCloudControl, MemoryIngest, memoryLine, peer } from "./link-fixture.ts";
import { createLinkServer } from "./link-server.ts";

/** A cloud, and gateways with a valid certificate that do as they like. */
function world() {
  const clock = new SimClock();
  const cloud = new MemoryCloudControl();
  const metrics = metricsRegistry();
  const server = createLinkServer({ ingest: new MemoryIngest(), control: cloud, clock, log: silentLog, metrics });
  function connect(epoch = 1) {
    const faults = { duplicate: 0, reorder: 0, isHalfOpen: false };
    const [near, far] = memoryLine({ clock, random: new SimRandom(7), faults });
    const answers: AnyMessage[] = [];
    let closed: string | null = null;
    let n = 0;
    near.onFrame((bytes) => void answers.push(decodeMessage(decodeFrame(bytes).part)));
    near.onClose((reason) => {
      closed = reason;
    });
    server.accept(far, peer);
    const say = (message: { readonly t: string; readonly [key: string]: unknown }) =>
      near.send(encodeFrame({ lane: 0, n: n++, more: false, part: encodeMessage(message) }));
    say({
      ...{ t: "hello", versions: { min: 1, max: 1 }, features: [], agent: "9.9.9", boot },
      ...{ epoch: String(epoch).padStart(32, "0"), lowest: 1, highest: 0, recovered: 0 },
      ...{ time: 1, timeTrusted: true, assignedVersion: 0 },
    });
    return { answers, say, reason: () => closed };
  }
  const limited = (limit: string) => metrics.expose().includes(`penstock_link_limited_total{limit="${limit}"} 1\n`);
  return { clock, cloud, connect, limited };
}

test("a node that connects again and again is let in so often a minute", async () => {
  const w = world();
  for (let i = 0; i < limits.sessionsPerMinute; i++) w.connect();
  await w.clock.advanceAsync(100);
  const late = w.connect();
  await w.clock.advanceAsync(100);
  assert.match(String(late.reason()), /more than 120 sessions/);
  assert.ok(w.limited("sessionsPerMinute"));
  await w.clock.advanceAsync(60_000);
  const next = w.connect();
  await w.clock.advanceAsync(100);
  assert.equal(next.answers[0]?.t, "welcome");
});

test("a node that invents epochs is refused for the rest of the hour, and its known ones are not", async () => {
  const w = world();
  for (let epoch = 1; epoch <= limits.epochsPerHour; epoch++) w.connect(epoch);
  await w.clock.advanceAsync(100);
  const late = w.connect(1000);
  await w.clock.advanceAsync(100);
  assert.deepEqual([late.answers[0]?.t, late.answers[0]?.code], ["refused", "request/too-many"]);
  assert.ok(w.limited("epochsPerHour"));
  const known = w.connect(1);
  await w.clock.advanceAsync(100);
  assert.equal(known.answers[0]?.t, "welcome");
});

test("a gateway that says without end what it dropped is let go", async () => {
  const w = world();
  const gateway = w.connect();
  await w.clock.advanceAsync(100);
  for (let i = 0; i <= limits.droppedPerMinute; i++) gateway.say({ t: "dropped", lowest: i + 1 });
  await w.clock.advanceAsync(100);
  assert.match(String(gateway.reason()), /more than 120 times a minute/);
  assert.ok(w.limited("droppedPerMinute"));
});

// Each set is a transaction and a check of all devices of the node.
test("a gateway that tells of other mappers without end is let go, and a manifest nobody asked for is passed over", async () => {
  const w = world();
  const gateway = w.connect();
  await w.clock.advanceAsync(100);
  gateway.say({ t: "manifest", hash: "d".repeat(64), text: new Uint8Array(10) });
  const mappers = (i: number) => [{ name: `m${i}`, version: "1.0.0", hash: "e".repeat(64) }];
  for (let i = 0; i < limits.mapperSetsPerMinute; i++) gateway.say({ t: "mappers", mappers: mappers(i) });
  await w.clock.advanceAsync(100);
  assert.deepEqual([gateway.reason(), w.cloud.manifests.size], [null, 0]);
  gateway.say({ t: "mappers", mappers: mappers(99) });
  await w.clock.advanceAsync(100);
  assert.match(String(gateway.reason()), /more than 30 times a minute which mappers it has/);
  assert.ok(w.limited("mapperSetsPerMinute"));
});

test("a gateway that reports faster than services store is let go", async () => {
  const w = world();
  w.cloud.takeReports = () => new Promise(() => {});
  const gateway = w.connect();
  await w.clock.advanceAsync(100);
  const report = {
    ...{ device: layout.device, property: "p", version: 1, state: "failed", reason: null, time: 1 },
    ...{ message: "x".repeat(4000), type: "bool", value: null },
  };
  const message = { t: "reports", reports: [report, report, report] };
  for (let i = 0; i < limits.controlBytesInFlight / 12_000 + 1; i++) gateway.say(message);
  await w.clock.advanceAsync(1000);
  assert.match(String(gateway.reason()), /bytes under way/);
  assert.ok(w.limited("controlBytesInFlight"));
});

test("renewals that are not due, and more than ten an hour, are left unanswered and the session goes on", async () => {
  const w = world();
  const gateway = w.connect();
  await w.clock.advanceAsync(100);
  const renew = w.cloud.renew.bind(w.cloud);
  w.cloud.renew = async () => {
    throw new AppError("request/too-many", "Certificate is renewed from tomorrow on");
  };
  gateway.say({ t: "renew", publicKey: new Uint8Array(91) });
  await w.clock.advanceAsync(100);
  w.cloud.renew = renew;
  assert.ok(w.limited("renewalsPerHour"));
  for (let i = 0; i < 20; i++) gateway.say({ t: "renew", publicKey: new Uint8Array(91) });
  gateway.say({ t: "ping", n: 4 });
  await w.clock.advanceAsync(100);
  assert.equal(gateway.answers.filter(({ t }) => t === "certificate").length, limits.renewalsPerHour - 1);
  assert.ok(gateway.answers.some(({ t }) => t === "pong"));
});

test("that a set is applied is stored once, and only for a set that was sent", async () => {
  const w = world();
  const told: number[] = [];
  w.cloud.applied = (_, version) => void told.push(version);
  const gateway = w.connect();
  await w.clock.advanceAsync(100);
  for (const version of [1, 1, 1, 9]) gateway.say({ t: "applied", version });
  await w.clock.advanceAsync(100);
  assert.deepEqual(told, [1]);
});
