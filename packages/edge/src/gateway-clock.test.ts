import assert from "node:assert/strict";
import { test } from "node:test";
import type { BootId, Micros } from "@penstock/model";
import { gatewayClock } from "./gateway-clock.ts";

const boot = "00000000000000000000000000000001" as BootId;
function clockAt(state: { wall: number; monotonic: number; plausible: boolean }) {
  const system = {
    now: () => state.wall as Micros,
    monotonic: () => state.monotonic,
    isPlausible: () => state.plausible,
    after: () => () => {},
  };
  return gatewayClock({ system, boot });
}

test("gatewayClock believes a plausible machine clock and dates readings back by their age", () => {
  const clock = clockAt({ wall: 1_000_000, monotonic: 500, plausible: true });
  assert.deepEqual(clock.wallOf(400), { time: 999_900, uncertain: null });
  assert.equal(clock.isTrusted(), true);
});

test("gatewayClock names the boot while the time is not known, learns the cloud's time once, and yields to a set clock", () => {
  const state = { wall: 1_000_000, monotonic: 500, plausible: false };
  const clock = clockAt(state);
  assert.deepEqual(clock.wallOf(500), { time: 1_000_000, uncertain: boot });
  assert.equal(clock.isTrusted(), false);
  clock.learn({ offset: 8_999_600 });
  clock.learn({ offset: 1 });
  assert.deepEqual(clock.wallOf(500), { time: 9_000_100, uncertain: null });
  assert.equal(clock.now(), 9_000_100);
  assert.equal(clock.isTrusted(), true);
  Object.assign(state, { wall: 9_500_000, plausible: true });
  assert.deepEqual(clock.wallOf(500), { time: 9_500_000, uncertain: null });
});
