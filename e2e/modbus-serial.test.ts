import assert from "node:assert/strict";
import { after, test } from "node:test";
import { modbus } from "@penstock/mapper-modbus";
import { openContext, type Point, withDefaults } from "@penstock/mapper-sdk";
import { MemoryUnit, ModbusSerialServer, needs, openPtyPair, SparseUnit, withHoles } from "@penstock/testkit";
import { eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
const closers: (() => Promise<void>)[] = [];
after(async () => {
  await bench.close();
  for (const close of closers.toReversed()) await close();
});

const unitIds = Array.from({ length: 10 }, (_, i) => i + 1);
const dead = 7;
const timeoutMs = 300;
const cycleMs = 1000;

// 9600 baud, so a request of 8 bytes and an answer of 25 take 38 ms, and a unit thinks for 5 ms: nine units need less
// than half of each second, and the dead one a time-out. An agent that let it cost more could not keep the cadence.
test(
  "ten devices share a serial bus at 9600 baud, and the dead one costs one bounded slot",
  needs("socat"),
  async () => {
    const { a, b, close } = await openPtyPair();
    closers.push(close);
    const units = new Map(unitIds.map((id) => [id, new MemoryUnit({ holding: 20 })]));
    for (const [id, unit] of units) for (let at = 0; at < 20; at++) unit.holding[at] = id * 100 + at;
    const bus = new ModbusSerialServer({
      ...{ path: a, units, dead: new Set([dead]), keepRequests: 1000 },
      pace: { baud: 9600, turnaroundMs: 5 },
    });
    closers.push(() => bus.close());

    const cloud = await bench.startCloud();
    await bench.startEdge(cloud, "gw-01");
    const visitor = (offset: number) => ({ table: "holding", offset });
    const property = (offset: number, more: object = {}) => ({
      ...{ type: "uint16", visitor: visitor(offset), collect: { every: `${cycleMs}ms` }, ...more },
    });
    const documents = [
      {
        ...{ apiVersion: "penstock.dev/v1", kind: "Connection", metadata: { name: "bus-a" } },
        spec: {
          ...{ node: "gw-01", protocol: "modbus", line: { timeout: `${timeoutMs}ms` } },
          settings: { transport: "rtu", path: b, baud: 9600, parity: "none" },
        },
      },
      ...unitIds.map((unitId) => ({
        ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: `unit-${unitId}` } },
        spec: {
          ...{ node: "gw-01", connection: "bus-a", address: { unitId } },
          properties: { first: property(0), last: property(9), setpoint: property(5, { access: "readWrite" }) },
        },
      })),
    ];
    const applied = await bench.run(["apply", "-f", "-"], {
      input: documents.map((d) => JSON.stringify(d)).join("\n---\n"),
    });
    assert.equal(applied.code, 0, applied.stderr);

    const reported = async (unitId: number) => {
      const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: `unit-${unitId}` } });
      return new Map(properties.map((p) => [p.property, p.reported]));
    };
    for (const unitId of unitIds) {
      const isDead = unitId === dead;
      const seen = await eventually(`readings of unit ${unitId}`, async () => {
        const now = await reported(unitId);
        return now.get("last")?.quality === (isDead ? "bad" : "good") ? now : null;
      });
      if (isDead) assert.equal(seen.get("last")?.reason, "mapper/timeout");
      else assert.deepEqual([seen.get("first")?.value, seen.get("last")?.value], [unitId * 100, unitId * 100 + 9]);
    }

    // Counted where the requests arrive. Ten seconds by the bus's own count of a living unit, whatever the machine does.
    const before = new Map(unitIds.map((id) => [id, bus.stats.requestsTo(id)]));
    const busyBefore = bus.wire!.busyMicros;
    const began = performance.now();
    await eventually("eight more cycles", () => bus.stats.requestsTo(1) - before.get(1)! >= 8, 30_000);
    const tookMs = performance.now() - began;
    const asked = new Map(unitIds.map((id) => [id, bus.stats.requestsTo(id) - before.get(id)!]));
    assert.ok(tookMs < 8 * cycleMs * 1.5, `eight cycles took ${tookMs} ms`);
    // Where the machine stands still a cycle of one unit may be skipped while the others have theirs.
    const most = Math.ceil(tookMs / cycleMs) + 1;
    const least = Math.floor(tookMs / cycleMs) - 1;
    for (const [id, count] of asked) {
      if (id === dead) assert.ok(count <= 9, `the dead unit was asked ${count} times`);
      // One request a cycle for the three properties of a device, between the first and the last of unit 1.
      else assert.ok(count >= least && count <= most, `unit ${id} was asked ${count} times in ${tookMs} ms`);
    }
    const requests = [...asked.values()].reduce((sum, count) => sum + count);
    const busyMs = (bus.wire!.busyMicros - busyBefore) / 1000;
    assert.ok(busyMs < requests * 39 + 100, `${busyMs} ms on the wire for ${requests} requests`);
    for (const { request } of bus.stats.seen) {
      assert.deepEqual([request?.kind, request?.start], ["read-registers", 0]);
    }

    // A write finds its turn between the reads, and is read back.
    const set = await bench.run(["set", "unit-3", "setpoint", "55"]);
    assert.equal(set.code, 0, set.stderr);
    assert.match(set.stdout, /unit-3\.setpoint = 55 confirmed, read back 55/);
    assert.equal(units.get(3)!.holding[5], 55);

    // It comes back by itself.
    bus.dead = new Set();
    await eventually(
      "the dead unit alive",
      async () => (await reported(dead)).get("first")?.value === dead * 100,
      60_000,
    );
  },
);

// Every third register of a map, a twentieth of which does not exist, on a line where each byte costs its time.
for (const framing of ["rtu", "ascii"] as const) {
  test(
    `a map with holes on a paced ${framing} line: every value right, and the holes asked for once`,
    needs("socat"),
    async () => {
      const { a, b, close } = await openPtyPair();
      const exists = withHoles(5, 3);
      const unit = new SparseUnit({ holding: 600 }, (table, at) => exists(table, at));
      for (let at = 0; at < 600; at++) unit.holding[at] = at * 3;
      const pace = { baud: 115_200, turnaroundMs: 2 };
      const bus = new ModbusSerialServer({ path: a, framing, units: new Map([[1, unit]]), pace });
      const signal = new AbortController().signal;
      const settings = { transport: framing, path: b, baud: 115_200, parity: "none" };
      const connection = await modbus.open(
        withDefaults(modbus.connection, settings),
        openContext({
          clock: {
            monotonic: () => Math.floor(performance.now() * 1000),
            after: (delayMs, run) => {
              const timer = setTimeout(run, delayMs);
              return () => clearTimeout(timer);
            },
          },
        }),
      );
      try {
        const offsets = Array.from({ length: 200 }, (_, i) => i * 3);
        const points = offsets.map((offset) => ({
          ...{ device: "d", property: `p${offset}`, type: "uint16" as const, custom: {}, deviceCustom: {} },
          address: withDefaults(modbus.address, {}),
          visitor: withDefaults(modbus.visitor, { table: "holding", offset }),
        })) satisfies Point[];
        const expected = offsets.map((offset) => (exists("holding", offset) ? offset * 3 : "mapper/bad-address"));
        const counts: number[] = [];
        for (let cycle = 0; cycle < 4; cycle++) {
          const before = bus.stats.requests;
          const refused = bus.stats.exceptions;
          const results = await connection.read(points, { signal });
          assert.deepEqual(
            results.map(({ value, reason }) => reason ?? value),
            expected,
          );
          counts.push(bus.stats.requests - before);
          if (cycle === 3) {
            // Nothing new is learned any more: only places that are known to be missing are refused again, if at all.
            const missing = expected.filter((value) => typeof value === "string").length;
            assert.ok(bus.stats.exceptions - refused <= missing, `${bus.stats.exceptions - refused} refusals`);
          }
        }
        assert.equal(counts[3], counts[2], `requests of four cycles: ${counts.join(", ")}`);
        assert.ok(counts[3]! < counts[0]! && counts[3]! < 100, `requests of four cycles: ${counts.join(", ")}`);
      } finally {
        await connection.close();
        await bus.close();
        await close();
      }
    },
  );
}
