import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import {
  type BootId,
  type ConnectionUid,
  type CycleHealth,
  type DeviceUid,
  type ErrorCode,
  type LineHealth,
  type NodeIdentity,
  type NodeReport,
  type NodeUid,
  parseManifest,
  type TenantUid,
} from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { ref, tenant } from "./test/test-plant.ts";

const shipped = readFileSync(new URL("../../../mappers/modbus/mapper.json", import.meta.url).pathname, "utf8");
let bench: TestBench;
before(async () => {
  bench = await testBench({ manifests: [parseManifest(shipped)] });
});
after(() => bench.close());

/** A gateway with one slow line; one register of unit 1 takes 32 ms of it. */
async function stage(name: string) {
  const { nodes, connections, devices, tenants } = bench.services;
  const node = await nodes.create(system, ref(name), { metadata: { name }, spec: {} });
  const settings = { transport: "rtu", path: "/dev/ttyS0", baud: 9600, parity: "none" };
  const line = await connections.create(system, ref(`bus-${name}`), {
    metadata: { name: `bus-${name}` },
    spec: { node: name, protocol: "modbus", settings },
  });
  const sensor = (every: string) => ({
    metadata: { name: `temp-${name}` },
    spec: {
      ...{ node: name, connection: `bus-${name}`, address: { unitId: 1 } },
      properties: { t: { type: "uint16", visitor: { table: "holding", offset: 0 }, collect: { every } } },
    },
  });
  const device = await devices.create(system, ref(`temp-${name}`), sensor("1s"));
  const of = (await tenants.get(system, { tenant: "", name: tenant })).metadata.uid as TenantUid;
  const identity: NodeIdentity = { tenant: of, node: node.metadata.uid as NodeUid };
  const alarms = async (code: ErrorCode) => {
    bench.clock.move(1000);
    await bench.services.lineAlarms.settled();
    await bench.services.alarms.close();
    const { items } = await bench.services.alarms.list(system, tenant, {});
    return items.filter((one) => one.node === name && one.code === code);
  };
  return {
    ...{ identity, sensor, alarms },
    device: device.metadata.uid as DeviceUid,
    line: line.metadata.uid as ConnectionUid,
    every: (every: string) => devices.update(system, ref(`temp-${name}`), { replace: sensor(every), ifMatch: "*" }),
  };
}

test("a saved line that is asked for more than its time is an alarm until it is not, said once", async () => {
  const { alarms, every } = await stage("over");
  assert.deepEqual(await alarms("services/line-overloaded"), []);
  await every("20ms");
  const [raised, ...others] = await alarms("services/line-overloaded");
  assert.deepEqual(others, []);
  assert.deepEqual([raised?.severity, raised?.count, raised?.clearedAt], ["major", 1, null]);
  assert.match(
    raised!.message,
    /^Devices ask for 1\d\d % of the time of the line "bus-over".*"temp-over" every 20ms 1\d\d %$/,
  );
  await bench.services.devices.update(system, ref("temp-over"), {
    ...{ patch: { metadata: { displayName: "T" }, spec: { description: "the same" } }, ifMatch: "*" },
  });
  assert.equal((await alarms("services/line-overloaded"))[0]?.count, 1);
  await every("1s");
  const cleared = await alarms("services/line-overloaded");
  assert.deepEqual([cleared.length, typeof cleared[0]?.clearedAt], [1, "string"]);
});

const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };
const report = (more: Partial<NodeReport>): NodeReport => ({
  ...{ agentVersion: "1.2.3", mappers: [], devices: [], cycles: [], lines: [], counters: {}, outbox },
  ...more,
});

test("a line that is hardly ever silent is an alarm, unless overrun cycles have said so already", async () => {
  const { alarms, line, device, identity } = await stage("full");
  const { control } = bench.services;
  control.nodeConnected(identity, { boot: "b".repeat(32) as BootId, agentVersion: "1.2.3", remote: "192.0.2.1" });
  const at = (loadPercent: number, more: Partial<LineHealth> = {}): readonly LineHealth[] => [
    { connection: line, state: "up", reason: null, message: null, loadPercent, requestsPerSecond: 9, ...more },
  ];
  const active = async () => (await alarms("collect/line-full")).filter(({ clearedAt }) => clearedAt === null);
  const overrun: CycleHealth = {
    ...{ device, cadence: { everyMs: 100 }, properties: 1, measuredMs: 150, longestMs: 200, reportMs: null },
    ...{ overruns: 3, isOverrun: true },
  };
  control.nodeReport(identity, report({ lines: at(99), cycles: [overrun] }));
  assert.deepEqual(await active(), [], "the cycle has its own alarm");
  control.nodeReport(identity, report({ lines: at(100, { state: "down" }) }));
  assert.deepEqual(await active(), [], "a line that is down waits, it does not work");
  control.nodeReport(identity, report({ lines: at(99) }));
  assert.match((await active())[0]?.message ?? "", /^The line "bus-full" was busy 99 % of a minute/);
  control.nodeReport(identity, report({ lines: at(93) }));
  assert.equal((await active())[0]?.count, 1, "a little less is no news");
  control.nodeReport(identity, report({ lines: at(80) }));
  assert.deepEqual(await active(), []);
});
