import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { DeviceUid, Epoch, ErrorCode, NodeIdentity, NodeReport } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

const alarmsOf = async (suffix: string, code: ErrorCode) => {
  await bench.services.nodeAlarms.close();
  await bench.services.alarms.close();
  const { items } = await bench.services.alarms.list(system, tenant, {});
  return items.filter((one) => one.node === `gw-${suffix}` && one.code === code);
};

test("lost readings are one alarm an epoch, and what is told again counts once", async () => {
  const { identity } = await plant(bench, "lost");
  const lose = (epoch: string, from: number, to: number) =>
    bench.services.control.raise(identity, {
      ...{ code: "ingest/gap", key: `${epoch}:${from}-${to}`, message: "lost" },
      lost: { epoch: epoch as Epoch, from, to },
    });
  for (const [from, to] of [
    [1, 10],
    [1, 10],
    [21, 30],
    [5, 25],
    [1, 30],
  ] as const)
    lose("e1", from, to);
  const [first, ...others] = await alarmsOf("lost", "ingest/gap");
  assert.deepEqual(others, []);
  assert.deepEqual([first?.key, first?.count, first?.severity], ["e1", 3, "critical"]);
  assert.match(first?.message ?? "", /^30 readings of epoch e1 are lost, 5\.\.25 the last of them/);
  lose("e2", 1, 5);
  assert.equal((await alarmsOf("lost", "ingest/gap")).length, 2);
});

test("a full disk is an alarm of its own, until it has room", async () => {
  const { identity } = await plant(bench, "disk");
  const outbox = { bytes: 1, entries: 1, readings: 7, oldestAgeMs: 0, dropped: 0, refused: 3 };
  const report = (full: boolean, diskFull?: boolean): NodeReport => ({
    ...{ agentVersion: "1", mappers: [], devices: [], cycles: [], lines: [], counters: {} },
    outbox: { ...outbox, full, ...(diskFull === undefined ? {} : { diskFull }) },
  });
  for (let i = 0; i < 3; i++) bench.services.control.nodeReport(identity, report(true, true));
  const [alarm] = await alarmsOf("disk", "outbox/disk-full");
  assert.deepEqual([alarm?.severity, alarm?.count, alarm?.clearedAt], ["minor", 1, null]);
  assert.match(alarm?.message ?? "", /3 readings were refused/);
  assert.deepEqual(await alarmsOf("disk", "outbox/full"), []);
  bench.services.control.nodeReport(identity, report(false));
  assert.notEqual((await alarmsOf("disk", "outbox/disk-full"))[0]?.clearedAt, null);
});

test("readings of devices that were never the node's are one alarm, until none came for ten minutes", async () => {
  const { identity } = await plant(bench, "foreign");
  const note = (who: NodeIdentity) => bench.services.onUnassigned(who, "d".repeat(32) as DeviceUid);
  for (let i = 0; i < 5; i++) note(identity);
  const [alarm] = await alarmsOf("foreign", "ingest/not-assigned");
  assert.deepEqual([alarm?.severity, alarm?.count, alarm?.clearedAt], ["minor", 1, null]);
  for (let i = 0; i < 9; i++) bench.clock.move(60_000);
  note(identity);
  for (let i = 0; i < 9; i++) bench.clock.move(60_000);
  assert.equal((await alarmsOf("foreign", "ingest/not-assigned"))[0]?.clearedAt, null);
  bench.clock.move(60_000);
  assert.notEqual((await alarmsOf("foreign", "ingest/not-assigned"))[0]?.clearedAt, null);
});
