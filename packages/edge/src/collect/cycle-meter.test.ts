import assert from "node:assert/strict";
import { test } from "node:test";
import type { CycleHealth, DeviceUid } from "@penstock/model";
import { CycleMeter, slowestCycles } from "./cycle-meter.ts";

const second = 1_000_000;
const slow = (cycles: number) => ({ cycles, isSilent: false });

test("CycleMeter: one stall is no overrun, three occasions within a minute are, until a minute without one", () => {
  const meter = new CycleMeter({ everyMs: 100 });
  const isOverrunAt = (at: number) => meter.health(at * second).isOverrun;
  meter.overran(1 * second, slow(500));
  assert.equal(isOverrunAt(1), false);
  assert.equal(meter.health(second).overruns, 500);
  meter.overran(100 * second, slow(1));
  meter.overran(130 * second, slow(1));
  assert.equal(isOverrunAt(130), false, "the first is too long ago");
  meter.overran(140 * second, slow(1));
  assert.equal(isOverrunAt(140), true);
  assert.equal(isOverrunAt(200), true);
  meter.overran(200 * second, slow(1));
  assert.equal(isOverrunAt(260), true);
  assert.equal(isOverrunAt(261), false);
});

test("CycleMeter: cycles longer than a minute are judged over several of themselves; silence is no overrun", () => {
  const meter = new CycleMeter({ everyMs: 3_600_000 });
  for (let hour = 1; hour <= 3; hour++) meter.overran(hour * 3600 * second, slow(1));
  assert.equal(meter.health(3 * 3600 * second).isOverrun, true);
  assert.equal(meter.health(6.1 * 3600 * second).isOverrun, false);
  const silent = new CycleMeter({ everyMs: 100 });
  for (let i = 0; i < 50; i++) silent.overran(i * second, { cycles: 1, isSilent: true });
  assert.deepEqual([silent.health(50 * second).isOverrun, silent.health(50 * second).overruns], [false, 50]);
});

test("slowestCycles() puts those first that are overrun, then the slowest against their cadence, up to a bound", () => {
  const cycle = (name: string, everyMs: number, measuredMs: number | null, isOverrun = false): CycleHealth => ({
    ...{ device: name as DeviceUid, cadence: { everyMs }, properties: 1, measuredMs, longestMs: measuredMs },
    ...{ reportMs: null, overruns: 0, isOverrun },
  });
  const daily: CycleHealth = { ...cycle("daily", 1, 3 * 43_200_000), cadence: { atSeconds: [0, 43_200] } };
  const all = [cycle("a", 1000, 1000), cycle("b", 100, 250), cycle("c", 1000, 1100, true), cycle("d", 10, null), daily];
  assert.deepEqual(
    slowestCycles(all, 4).map(({ device }) => device as string),
    ["c", "daily", "b", "a"],
  );
});
