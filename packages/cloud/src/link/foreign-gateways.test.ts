import assert from "node:assert/strict";
import test from "node:test";
import { isErrorCode } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom } from "@penstock/testkit";
import { type AnyMessage, decodeFrame, decodeMessage, encodeFrame, encodeMessage, pack } from "@penstock/wire";
import fc from "fast-check";
import { boot, emptyReport, layout, MemoryCloudControl, MemoryIngest, memoryLine, peer } from "./link-fixture.ts";
import { createLinkServer } from "./link-server.ts";

/** A gateway that is not ours: it sends what the test says, frame by frame. */
function foreignGateway() {
  const clock = new SimClock();
  const ingest = new MemoryIngest();
  const cloud = new MemoryCloudControl();
  const metrics = metricsRegistry();
  const server = createLinkServer({ ingest, control: cloud, clock, log: silentLog, metrics });
  const faults = { duplicate: 0, reorder: 0, isHalfOpen: false };
  const [near, far] = memoryLine({ clock, random: new SimRandom(7), faults });
  const answers: AnyMessage[] = [];
  const parts: Uint8Array[] = [];
  let closed: string | null = null;
  let n = 0;
  near.onFrame((bytes) => {
    const frame = decodeFrame(bytes);
    parts.push(frame.part);
    if (!frame.more) answers.push(decodeMessage(Buffer.concat(parts.splice(0))));
  });
  near.onClose((reason) => {
    closed = reason;
  });
  server.accept(far, peer);
  return {
    clock,
    ingest,
    cloud,
    metrics,
    server,
    answers,
    raw: (bytes: Uint8Array) => near.send(bytes),
    say: (message: { t: string }) =>
      near.send(encodeFrame({ lane: 0, n: n++, more: false, part: encodeMessage(message) })),
    isClosed: () => closed !== null,
    reason: () => closed,
  };
}

const hello = {
  t: "hello",
  versions: { min: 1, max: 1 },
  features: [],
  agent: "9.9.9",
  boot,
  epoch: "e".repeat(32),
  lowest: 1,
  highest: 0,
  recovered: 0,
  time: 1,
  timeTrusted: true,
  assignedVersion: 0,
};

test("a gateway that offers versions 1..2, with unknown fields and features, is welcomed with version 1", async () => {
  const gateway = foreignGateway();
  gateway.say({ ...hello, versions: { min: 1, max: 2 }, features: ["teleport"], mood: "good" } as never);
  await gateway.clock.advanceAsync(100);
  assert.equal(gateway.answers[0]?.t, "welcome");
  assert.equal(gateway.answers[0]?.version, 1);
});

test("a gateway that offers only version 2 is refused with both ranges named", async () => {
  const gateway = foreignGateway();
  // What a hello of version 2 says beside its versions, nobody here can know.
  gateway.say({ t: "hello", versions: { min: 2, max: 2 }, who: 5 } as never);
  await gateway.clock.advanceAsync(100);
  assert.equal(gateway.answers[0]?.t, "refused");
  assert.equal(gateway.answers[0]?.code, "link/no-common-version");
  assert.match(String(gateway.answers[0]?.message), /2\.\.2.*1\.\.1/);
  assert.deepEqual(gateway.answers[0]?.versions, { min: 1, max: 1 });
  assert.equal(gateway.isClosed(), true);
  assert.equal(gateway.ingest.begun, 0);
});

test("frames of an unknown lane, messages of an unknown kind and unknown fields are ignored and counted", async () => {
  const gateway = foreignGateway();
  gateway.say(hello);
  await gateway.clock.advanceAsync(100);
  gateway.raw(encodeFrame({ lane: 30, n: 0, more: false, part: new Uint8Array(5) }));
  gateway.raw(Uint8Array.from(pack([31, 0, 0, new Uint8Array(1), "a fifth element"])));
  gateway.say({ t: "sing" });
  gateway.say({ t: "status", report: { ...emptyReport, smell: "none" }, tone: "c" } as never);
  gateway.say({ t: "ping", n: 4 } as never);
  await gateway.clock.advanceAsync(2000);
  assert.equal(gateway.isClosed(), false);
  assert.equal(gateway.cloud.statuses, 1);
  assert.ok(gateway.answers.some((answer) => answer.t === "pong" && answer.n === 4));
  // two frames of unknown lanes, one frame field, one kind, one message field
  assert.match(gateway.metrics.expose(), /^penstock_link_ignored_total 5$/m);
});

test("readings of a layout that was never sent end the session", async () => {
  const gateway = foreignGateway();
  gateway.say(hello);
  await gateway.clock.advanceAsync(100);
  const readings = { t: "readings", layouts: [], entries: [[1, 1, 9, new Uint8Array(3)]] };
  gateway.raw(encodeFrame({ lane: 1, n: 0, more: false, part: encodeMessage(readings) }));
  await gateway.clock.advanceAsync(100);
  assert.match(String(gateway.reason()), /layout 9 was never sent/);
});

test("a body that inflates without end ends the session, not the cloud", async () => {
  const gateway = foreignGateway();
  gateway.say(hello);
  await gateway.clock.advanceAsync(100);
  const { deflateRawSync } = await import("node:zlib");
  const bomb = deflateRawSync(new Uint8Array(12_000_000));
  const readings = { t: "readings", layouts: [layout], entries: [[1, 1, 1, bomb, 1]] };
  const bytes = encodeMessage(readings);
  assert.ok(bytes.length < 16_000);
  gateway.raw(encodeFrame({ lane: 1, n: 0, more: false, part: bytes }));
  await gateway.clock.advanceAsync(100);
  assert.match(String(gateway.reason()), /Cannot inflate entry 1/);
});

test("what a gateway says was settled before its epoch is no gap when it drops what stands around it", async () => {
  const gateway = foreignGateway();
  gateway.say({ ...hello, settled: [[5, 8]] } as never);
  await gateway.clock.advanceAsync(100);
  gateway.say({ t: "dropped", lowest: 11 } as never);
  await gateway.clock.advanceAsync(100);
  const lost = [...gateway.cloud.alarms.values()].map(({ key }) => key.split(":")[1]);
  assert.deepEqual(lost, ["1-4", "9-10"]);
});

test("a gateway that says nothing is let go", async () => {
  const gateway = foreignGateway();
  await gateway.clock.advanceAsync(17_000);
  assert.match(String(gateway.reason()), /no hello came in time/);
});

test("whatever a gateway says, its session ends with a code of the table or goes on, and the others are not harmed", async () => {
  const scalar = fc.oneof(
    fc.integer(),
    fc.string({ maxLength: 8 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 8 }),
  );
  const tree = fc.oneof(
    scalar,
    fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 5 })), { maxLength: 5 }),
    fc.dictionary(fc.constantFrom("lowest", "report", "outbox", "min", "device", "value", "type"), scalar),
  );
  const kind = fc.constantFrom(
    "hello",
    "readings",
    "dropped",
    "applied",
    "desired-taken",
    "reports",
    "status",
    "renew",
    "ping",
  );
  const field = fc.constantFrom(
    "versions",
    "layouts",
    "entries",
    "lowest",
    "version",
    "taken",
    "reports",
    "report",
    "publicKey",
    "n",
    "epoch",
  );
  const message = fc.tuple(kind, fc.dictionary(field, tree)).map(([t, fields]) => ({ ...hello, ...fields, t }));
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(message, { minLength: 1, maxLength: 4 }), async (isGreeted, messages) => {
      const gateway = foreignGateway();
      if (isGreeted) gateway.say(hello);
      await gateway.clock.advanceAsync(10);
      for (const each of messages) gateway.say(each);
      await gateway.clock.advanceAsync(100);
      for (const answer of gateway.answers) if (answer.t === "refused") assert.ok(isErrorCode(answer.code));
      if (gateway.isClosed()) assert.notEqual(gateway.reason(), "internal error");
    }),
    { numRuns: 1000 },
  );
});
