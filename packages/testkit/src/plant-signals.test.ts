import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachReading, type Reading, type ReadingBatch, readingsOf } from "@penstock/model";
import fc from "fast-check";
import { plantSignals, readingsPerRequest } from "./plant-signals.ts";
import { signalMix } from "./signals.ts";

function take(options: Parameters<typeof plantSignals>[0], ticks: number): ReadingBatch[] {
  const signals = plantSignals(options);
  return Array.from({ length: ticks }, () => signals.next().value.batches).flat();
}

test("plantSignals() repeats from its seed, whatever else runs, and differs between seeds", () => {
  fc.assert(
    fc.property(
      fc.record({
        series: fc.integer({ min: 1, max: 250 }),
        seed: fc.nat(),
        propertiesPerDevice: fc.constantFrom(7, 100),
      }),
      (options) => {
        const other = plantSignals({ ...options, seed: options.seed + 1 });
        other.next();
        const first = take(options, 3);
        assert.deepEqual(take(options, 3), first);
        assert.equal(
          first.reduce((sum, batch) => sum + batch.count, 0),
          options.series * 3,
        );
        const again = Array.from({ length: 3 }, () => other.next().value.batches).flat();
        assert.notDeepEqual(
          again.map((batch) => [batch.baseTime, ...batch.columns]),
          first.map((batch) => [batch.baseTime, ...batch.columns]),
        );
      },
    ),
    { numRuns: 30 },
  );
});

test("plantSignals() has the mix of types and the laws that its docstring states", () => {
  const ticks = 2000;
  const types = new Map<string, number>();
  const last = new Map<string, Reading>();
  let setpointChanges = 0;
  let bitChanges = 0;
  let total = 0;
  for (const batch of take({ series: 200, seed: 1 }, ticks)) {
    forEachReading(batch, (reading) => {
      total++;
      types.set(reading.type, (types.get(reading.type) ?? 0) + 1);
      assert.equal(reading.value === null, reading.quality === "bad");
      assert.equal(reading.reason === null, reading.quality === "good");
      if (reading.value === null) return;
      const key = `${reading.device}.${reading.property}`;
      const before = last.get(key);
      last.set(key, reading);
      if (before === undefined) return;
      assert.ok(reading.time > before.time, "time moves on in every series");
      const isCounter = reading.property.startsWith("pieces") || reading.property.startsWith("energy");
      if (isCounter) assert.ok(reading.value >= before.value!, `${key} counts down`);
      if (reading.property.startsWith("setpoint") && reading.value !== before.value) setpointChanges++;
      if (reading.property.startsWith("bit") && reading.value !== before.value) bitChanges++;
      if (reading.property.startsWith("temperature")) {
        assert.equal(Math.round(Number(reading.value) * 10) / 10, reading.value, "tenths");
      }
    });
  }
  assert.equal(total, 200 * ticks);
  assert.deepEqual(Object.fromEntries([...types].map(([type, count]) => [type, count / total])), {
    ...{ bool: 0.15, int16: 0.1, int64: 0.05, uint32: 0.1, float32: 0.25, float64: 0.35 },
  });
  near("bit changes", bitChanges / total, 0.15 / 200);
  assert.ok(setpointChanges > 0 && setpointChanges < 20, `20 set-points changed ${setpointChanges} times, not about 8`);
});

test("plantSignals() has the shares of quality that its docstring states", () => {
  let total = 0;
  const byReason = new Map<string, number>();
  const signals = plantSignals({ series: 4000, propertiesPerDevice: 20, seed: 1 });
  for (let tick = 0; tick < 2000; tick++) {
    for (const batch of signals.next().value.batches) {
      total += batch.count;
      for (const index of batch.reasonIndex ?? []) {
        const reason = batch.reasons[index - 1] ?? "none";
        byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
      }
    }
  }
  const share = (reason: string) => (byReason.get(reason) ?? 0) / total;
  near("mapper/timeout", share("mapper/timeout"), 0.001);
  near("mapper/value-not-finite", share("mapper/value-not-finite"), 0.0005);
  near("clock/not-set", share("clock/not-set"), 0.0005);
});

/** Runs are rare and long, so their shares wander; the seed is fixed, so the test does not. */
function near(name: string, actual: number, wanted: number): void {
  assert.ok(actual > wanted * 0.7 && actual < wanted * 1.4, `${name}: ${actual}, not about ${wanted}`);
}

test("plantSignals() gives readings of one request one time, in whole milliseconds, and no even ticks", () => {
  const gaps = new Map<string, Set<number>>();
  const last = new Map<string, number>();
  for (const batch of take({ series: 100, seed: 3 }, 200)) {
    const byRequest = new Map<number, Set<number>>();
    for (const reading of readingsOf(batch)) {
      assert.equal(reading.time % 1000, 0);
      const request = Math.floor(Number(/\d+$/.exec(reading.property)![0]) / readingsPerRequest);
      byRequest.set(request, (byRequest.get(request) ?? new Set()).add(reading.time));
      const before = last.get(reading.property);
      if (before !== undefined)
        gaps.set(reading.property, (gaps.get(reading.property) ?? new Set()).add(reading.time - before));
      last.set(reading.property, reading.time);
    }
    assert.deepEqual(
      [...byRequest.values()].map((times) => times.size),
      [1, 1, 1],
    );
    assert.equal(
      new Set([...byRequest.values()].flatMap((times) => [...times])).size,
      3,
      "three requests, three times",
    );
  }
  for (const [property, own] of gaps) assert.ok(own.size > 5, `${property} ticks evenly`);
});

test("plantSignals() makes batches that may be kept, in layout order", () => {
  const [first, second] = take({ series: signalMix.length, seed: 5 }, 2);
  const before = JSON.stringify(first!.columns.map((column) => Array.from(column ?? [], String)));
  assert.notEqual(first!.columns, second!.columns);
  assert.equal(first!.layout, second!.layout);
  assert.equal(JSON.stringify(first!.columns.map((column) => Array.from(column ?? [], String))), before);
  assert.equal(signalMix.length, 20);
});

test("plantSignals() keeps ahead of the fastest stage it feeds", () => {
  const signals = plantSignals({ series: 10_000, seed: 1 });
  for (let i = 0; i < 20; i++) signals.next();
  const started = performance.now();
  for (let i = 0; i < 50; i++) signals.next();
  const perSecond = (50 * 10_000) / ((performance.now() - started) / 1000);
  console.log(`# ${(perSecond / 1e6).toFixed(1)} M readings/s`);
  // The goal is 3 M/s on an idle core; a shared one may take a while, a mistake takes much longer.
  assert.ok(perSecond > 500_000, `${perSecond} readings/s`);
});
