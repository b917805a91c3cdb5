import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { MemoryUnit, ModbusSerialServer, needs, openPtyPair } from "@penstock/testkit";
import { type CloudProcess, eventually, TestBench } from "./support/penstock.ts";

/*
 * How full a serial line will be is told before it is saved, by the command line as by the API, and is what the gateway
 * measures and the bus counts afterwards.
 */
const bench = new TestBench();
const closers: (() => Promise<void>)[] = [];
let cloud: CloudProcess;
before(async () => {
  cloud = await bench.startCloud();
});
after(async () => {
  await bench.close();
  for (const close of closers.toReversed()) await close();
});

const params = { tenant: "default" } as const;
const input = (documents: readonly object[]) => ({
  input: documents.map((one) => JSON.stringify(one)).join("\n---\n"),
});
interface Told {
  readonly lines: readonly {
    readonly connection: string;
    readonly after: { readonly percent: number; readonly requestsPerSecond: number };
    readonly state: string;
  }[];
}
function bus(name: string, path: string) {
  const settings = { transport: "rtu", path, baud: 4800, parity: "even" };
  return { kind: "Connection", metadata: { name }, spec: { node: "gw-01", protocol: "modbus", settings } };
}
function sensor(name: string, at: { readonly connection: string; readonly unitId: number; readonly every: string }) {
  const { connection, unitId, every } = at;
  const property = (offset: number) => ({
    ...{ type: "uint16", collect: { every } },
    visitor: { table: "holding", offset },
  });
  const properties = { first: property(0), last: property(9) };
  return { kind: "Device", metadata: { name }, spec: { node: "gw-01", connection, address: { unitId }, properties } };
}

/** What the assumed round trip, timers of the simulated units and the gateway's own steps may make of it. */
const tolerance = 0.2;

test("the load told before a serial line is saved is what is measured afterwards", needs("socat"), async () => {
  const { a, b, close } = await openPtyPair();
  closers.push(close);
  const unitIds = Array.from({ length: 5 }, (_, i) => i + 1);
  const units = new Map(unitIds.map((id) => [id, new MemoryUnit({ holding: 20 })]));
  const server = new ModbusSerialServer({ path: a, units, pace: { baud: 4800, turnaroundMs: 5 } });
  closers.push(() => server.close());
  await bench.startEdge(cloud, "gw-01");
  const documents = [
    bus("bus-a", b),
    ...unitIds.map((unitId) => sensor(`unit-${unitId}`, { connection: "bus-a", unitId, every: "1s" })),
  ];
  const dry = await bench.run(["apply", "--dry-run", "-f", "-", "-o", "json"], input(documents));
  assert.equal(dry.code, 0, dry.stderr);
  const [line, ...others] = (JSON.parse(dry.stdout) as Told).lines;
  assert.deepEqual(others, []);
  assert.equal(line?.connection, "bus-a");
  assert.equal(line?.after.requestsPerSecond, 5);
  assert.deepEqual((await cloud.client.connections.list({ params })).items, []);

  const applied = await bench.run(["apply", "-f", "-"], input(documents));
  assert.equal(applied.code, 0, applied.stderr);
  const load = async () => (await cloud.client.connections.get({ params: { ...params, name: "bus-a" } })).status.load;
  assert.equal((await load()).predictedPercent, line?.after.percent);
  await eventually("the first requests", () => server.stats.requests >= 10, 30_000);

  // Counted where requests arrive, and how long the wire was busy with them.
  const [requests, busyUs, began] = [server.stats.requests, server.wire!.busyMicros, performance.now()];
  await eventually("fifty requests more", () => server.stats.requests - requests >= 50, 60_000);
  const seconds = (performance.now() - began) / 1000;
  const perSecond = (server.stats.requests - requests) / seconds;
  assert.ok(Math.abs(perSecond / 5 - 1) < tolerance, `${perSecond} requests/s at the bus, 5 predicted`);
  const busyPercent = (server.wire!.busyMicros - busyUs) / seconds / 10_000;
  const predicted = line!.after.percent;
  // Bytes alone: silence between frames and the units' thinking are on top.
  assert.ok(
    busyPercent < predicted && busyPercent > predicted * 0.6,
    `${busyPercent} % of bytes, ${predicted} % predicted`,
  );
  const measured = await eventually(
    "the measured load",
    async () => {
      const { measuredPercent } = await load();
      return measuredPercent !== null && Math.abs(measuredPercent / predicted - 1) < tolerance ? measuredPercent : null;
    },
    60_000,
  );
  const shown = await bench.run(["get", "connections"]);
  assert.match(shown.stdout, /^NAME +NODE +PROTOCOL +STATE +LOAD PREDICTED \/ MEASURED +REQUESTS\/S$/m);
  const row = /^bus-a +gw-01 +modbus +up +(\d+) % \/ (\d+) % +5 \/ [\d.]+$/m.exec(shown.stdout);
  assert.ok(row !== null, shown.stdout);
  assert.equal(Number(row[1]), Math.round(predicted));
  assert.ok(Math.abs(Number(row[2]) - measured) < 5, shown.stdout);
  assert.match((await bench.run(["get", "devices"])).stdout, /^unit-1 .* online +- +every 1s, measured \d+ms/m);
});

test("an overloaded line is warned of before it is saved, by apply, copy and import, and is an alarm afterwards", async () => {
  const documents = [
    { kind: "Node", metadata: { name: "gw-02" }, spec: {} },
    bus("bus-b", "/dev/nowhere"),
    sensor("temp-01", { connection: "bus-b", unitId: 1, every: "200ms" }),
  ].map((one) => ({ ...one, spec: "node" in one.spec ? { ...one.spec, node: "gw-02" } : one.spec }));
  const dry = await bench.run(["apply", "--dry-run", "-f", "-"], input(documents));
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^Device "temp-01" would be created$/m);
  assert.match(
    dry.stdout,
    /^LINE +GATEWAY +PREDICTED LOAD +REQUESTS\/S +STATE\nbus-b +gw-02 +- → 4\d % +- → 5 +free$/m,
  );
  const applied = await bench.run(["apply", "-f", "-"], input(documents));
  assert.deepEqual([applied.code, applied.stderr], [0, ""]);

  const copy = ["copy", "temp-01", "temp-{02..04}", "--step", "address.unitId=1"];
  const planned = await bench.run([...copy, "--dry-run"]);
  assert.match(planned.stdout, /^bus-b +gw-02 +4\d % → 1\d\d % +5 → 20 +overloaded$/m);
  assert.match(
    planned.stdout,
    /^Warning: line bus-b would be overloaded, at 1\d\d % of its time: cycles will be skipped. The most of it: temp-01 every 200ms 4\d %, /m,
  );
  const { lines } = await bench.json<Told>([...copy, "--dry-run"]);
  assert.deepEqual(
    lines.map(({ state }) => state),
    ["overloaded"],
  );

  const table = join(bench.folder, "faster.csv");
  writeFileSync(table, "device,property,collect.every\r\ntemp-01,first,80ms\r\ntemp-01,last,80ms\r\n");
  const imported = await bench.run(["import", table, "--dry-run"]);
  assert.match(imported.stdout, /^bus-b +gw-02 +4\d % → 1\d\d % +5 → 13 +overloaded$/m);

  const copied = await bench.run(["copy", "temp-01", "temp-{05..06}", "--step", "address.unitId=4", "-y"]);
  assert.equal(copied.code, 0, copied.stderr);
  assert.match(copied.stderr, /^Warning: line bus-b would be overloaded, at 1\d\d % of its time/);
  for (const name of ["temp-05", "temp-06"]) await bench.run(["delete", "device", name]);

  const more = [sensor("temp-02", { connection: "bus-b", unitId: 2, every: "100ms" })].map((one) => ({
    ...one,
    spec: { ...one.spec, node: "gw-02" },
  }));
  const saved = await bench.run(["apply", "-f", "-"], input(more));
  assert.equal(saved.code, 0, saved.stderr);
  assert.match(saved.stderr, /^Warning: line bus-b would be overloaded, at 1\d\d % of its time/);
  const alarm = await eventually("the alarm", async () => {
    const { items } = await cloud.client.alarms.list({ params, query: {} });
    return items.find(({ code }) => code === "services/line-overloaded") ?? null;
  });
  assert.equal(alarm.node, "gw-02");
  assert.match(alarm.message, /line "bus-b"/);
  await bench.run(["delete", "device", "temp-02"]);
  await eventually("the alarm over", async () => {
    const { items } = await cloud.client.alarms.list({ params, query: { active: true } });
    return !items.some(({ code }) => code === "services/line-overloaded");
  });
});
