import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { BootId, ConnectionUid, CycleHealth, DeviceUid, LineHealth, NodeReport } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };
const report = (more: Partial<NodeReport>): NodeReport => ({
  ...{ agentVersion: "1.2.3", mappers: [], devices: [], cycles: [], lines: [], counters: {}, outbox },
  ...more,
});
const settled = async () => {
  await bench.services.nodeAlarms.close();
  await bench.services.alarms.close();
};
const hello = { boot: "b".repeat(32) as BootId, agentVersion: "1.2.3", remote: "192.0.2.1" };

async function stage(name: string) {
  const { identity, device } = await plant(bench, name);
  const ref = { tenant, name: device };
  const found = await bench.services.devices.get(system, ref);
  const uid = found.metadata.uid as DeviceUid;
  const status = async () => (await bench.services.devices.get(system, ref)).status;
  return { identity, uid, status, spec: found.spec };
}

test("a device is offline with the link, unknown until its gateway speaks of it, then as the gateway says and since when", async () => {
  const { identity, uid, status } = await stage("presence");
  const { control } = bench.services;
  assert.deepEqual(await status().then(({ state, reason, message }) => [state, reason, message]), [
    "offline",
    "link/closed",
    "Its gateway has never connected",
  ]);
  control.nodeConnected(identity, hello);
  assert.equal((await status()).state, "unknown");
  const dead = { device: uid, state: "offline", reason: "mapper/timeout", message: "No answer" } as const;
  control.nodeReport(identity, report({ devices: [dead] }));
  const first = await status();
  assert.deepEqual([first.state, first.reason, first.message], ["offline", "mapper/timeout", "No answer"]);
  bench.clock.move(5000);
  control.nodeReport(identity, report({ devices: [dead] }));
  assert.equal((await status()).since, first.since);
  bench.clock.move(5000);
  control.nodeReport(identity, report({ devices: [{ ...dead, state: "online", reason: null, message: null }] }));
  const online = await status();
  assert.deepEqual([online.state, online.reason, online.message], ["online", null, null]);
  assert.ok(online.since !== null && first.since !== null && online.since > first.since);
  control.nodeDisconnected(identity, "reset");
  const away = await status();
  assert.deepEqual([away.state, away.reason, away.message], ["offline", "link/closed", "Its gateway is not connected"]);
  assert.ok(away.since !== null && away.since >= online.since);
});

test("a device shows its measured cycles; one that overruns is an alarm that names it until it keeps its time again", async () => {
  const { identity, uid, status } = await stage("cycles");
  const { control } = bench.services;
  const cycle: CycleHealth = {
    ...{ device: uid, cadence: { everyMs: 1000 }, properties: 3, measuredMs: 2400.4, longestMs: 3000, reportMs: null },
    ...{ overruns: 7, isOverrun: true },
  };
  control.nodeConnected(identity, hello);
  for (let i = 0; i < 3; i++) control.nodeReport(identity, report({ cycles: [cycle] }));
  assert.deepEqual((await status()).cycles, [
    {
      ...{ cadence: "every 1s", properties: 3, measuredMs: 2400.4, longestMs: 3000, reportMs: null },
      ...{ overruns: 7, isOverrun: true },
    },
  ]);
  const alarms = async () => {
    await settled();
    const { items } = await bench.services.alarms.list(system, tenant, {});
    return items.filter(({ code, node }) => code === "collect/overrun" && node === "gw-cycles");
  };
  const [raised, ...others] = await alarms();
  assert.deepEqual(others, []);
  assert.deepEqual([raised?.count, raised?.clearedAt], [1, null]);
  assert.match(raised?.message ?? "", /is to be read every 1s and takes 2400 ms; 7 cycles were skipped/);
  control.nodeReport(identity, report({ cycles: [{ ...cycle, isOverrun: false }] }));
  assert.notEqual((await alarms())[0]?.clearedAt, null);
});

test("what an earlier process raised and the node no longer reports is cleared with its first report", async () => {
  const { identity, uid } = await stage("restart");
  const cycle: CycleHealth = {
    ...{ device: uid, cadence: { atSeconds: [21_600, 64_830] }, properties: 1, measuredMs: null, longestMs: null },
    ...{ reportMs: null, overruns: 1, isOverrun: true },
  };
  bench.services.control.nodeReport(identity, report({ cycles: [cycle] }));
  await settled();
  await bench.restart();
  bench.services.control.nodeReport(identity, report({}));
  await settled();
  const { items } = await bench.services.alarms.list(system, tenant, {});
  const alarm = items.find(({ code, node }) => code === "collect/overrun" && node === "gw-restart");
  assert.match(alarm?.message ?? "", /at 06:00, 18:00:30 and does not run/);
  assert.notEqual(alarm?.clearedAt, null);
});

test("a connection shows what its line carries while its gateway is there", async () => {
  const { identity, spec } = await stage("line");
  assert.equal(typeof spec.connection, "string");
  const ref = { tenant, name: spec.connection as string };
  const found = await bench.services.connections.get(system, ref);
  const line: LineHealth = {
    ...{ connection: found.metadata.uid as ConnectionUid, state: "down", reason: "mapper/connect-failed" },
    ...{ message: "Refused", loadPercent: 12.5, requestsPerSecond: 40 },
  };
  const status = async () => (await bench.services.connections.get(system, ref)).status;
  assert.equal((await status()).state, "unknown");
  bench.services.control.nodeConnected(identity, hello);
  bench.services.control.nodeReport(identity, report({ lines: [line] }));
  const { state, reason, message, load } = await status();
  assert.deepEqual([state, reason, message], ["down", "mapper/connect-failed", "Refused"]);
  assert.deepEqual([load.measuredPercent, load.requestsPerSecond], [12.5, 40]);
  bench.services.control.nodeDisconnected(identity, "reset");
  assert.equal((await status()).load.measuredPercent, null);
});
