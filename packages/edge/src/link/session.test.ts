import assert from "node:assert/strict";
import test from "node:test";
import type { BootId, DeviceUid, Epoch, Micros } from "@penstock/model";
import type { CloudMessage } from "@penstock/wire";
import { edgeStep, newEdgeSession } from "./session.ts";
import type { EdgeEffect, EdgeSession, EdgeStep } from "./session-state.ts";

const second = 1_000_000;
const device = "d".repeat(32) as DeviceUid;
const value = { device, property: "speed", type: "float64", value: 1, version: 1, ttlMs: 10_000 } as const;
const call = { id: "c".repeat(32), device, method: "start", arguments: [], ttlMs: 10_000 } as const;

/** A gateway that dialled at 0 and was welcomed 20 ms later, by a cloud that stamps or one that does not. */
function welcomed(stamps: { stamp?: number; helloStamp?: number }, now = 20_000): EdgeSession {
  const { state } = newEdgeSession({
    hello: {
      t: "hello",
      ...{ versions: { min: 1, max: 1 }, features: [], agent: "1", boot: "b".repeat(32) as BootId },
      ...{ epoch: "e".repeat(32) as Epoch, lowest: 1, highest: 0, recovered: 0 },
      ...{ time: 0 as Micros, timeTrusted: true, assignedVersion: 0 },
    },
    ...{ boot: null, sent: 0, now: 0 },
  });
  const message: CloudMessage = {
    ...{ t: "welcome", version: 1, features: [], time: 0 as Micros, held: [], newEpoch: false },
    ...{ credit: { live: 1e6, backlog: 1e6 }, ...stamps },
  };
  return edgeStep(state, { t: "message", message, now }).state;
}

function hear(state: EdgeSession, message: CloudMessage, now: number): EdgeStep {
  return edgeStep(edgeStep(state, { t: "heard", now }).state, { t: "message", message, now });
}

function leftMs({ effects }: EdgeStep): number[] {
  return effects.flatMap((effect) =>
    effect.t === "take-desired"
      ? effect.values.map(({ ttlMs }) => ttlMs)
      : effect.t === "take-calls"
        ? effect.calls.map(({ ttlMs }) => ttlMs)
        : [],
  );
}

function pings(effects: readonly EdgeEffect[]): number[] {
  return effects.flatMap((effect) => (effect.t === "send" && effect.message.t === "ping" ? [effect.message.n] : []));
}

function tick(state: EdgeSession, now: number): EdgeStep {
  const report = { agentVersion: "1", mappers: [], devices: [], cycles: [], lines: [], counters: {} };
  const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };
  const input = {
    t: "tick",
    now,
    wall: 0 as Micros,
    lowest: 1,
    report: { ...report, outbox },
    certificate: null,
  } as const;
  return edgeStep(edgeStep(state, { t: "heard", now }).state, input);
}

test("edgeStep() takes what a desired value and a call spent on the line off their time to live", () => {
  const state = welcomed({ stamp: 10_000, helloStamp: 10_000 });
  const stamp = 2 * second;
  // The fastest message took 10 ms; one that came 13 s later was on its way for 13 s.
  assert.deepEqual(leftMs(hear(state, { t: "desired", values: [value], stamp }, stamp + 10_000)), [10_000]);
  assert.deepEqual(leftMs(hear(state, { t: "desired", values: [value], stamp }, stamp + 3 * second + 10_000)), [7000]);
  assert.deepEqual(leftMs(hear(state, { t: "calls", calls: [call], stamp }, stamp + 3 * second + 10_000)), [7000]);
  assert.deepEqual(leftMs(hear(state, { t: "desired", values: [value], stamp }, stamp + 13 * second)), [0]);
});

test("edgeStep() counts a line that was slow from the greeting on, but for a second", () => {
  const state = welcomed({ stamp: 10_000, helloStamp: 10_000 }, 12 * second);
  assert.deepEqual(leftMs(hear(state, { t: "desired", values: [value], stamp: 10_000 }, 12 * second)), [0]);
  const long = { ...value, ttlMs: 60_000 };
  const [left] = leftMs(hear(state, { t: "desired", values: [long], stamp: 10_000 }, 12 * second));
  assert.equal(left, 60_000 - 11_000);
});

test("edgeStep() takes nothing off what a cloud without stamps sends, and asks it for none", () => {
  const state = welcomed({});
  assert.deepEqual(leftMs(hear(state, { t: "desired", values: [value] }, 14 * second)), [10_000]);
  assert.deepEqual(leftMs(hear(state, { t: "calls", calls: [call] }, 14 * second)), [10_000]);
  assert.deepEqual(pings(tick(state, 100 * second).effects), []);
});

test("edgeStep() asks for a stamp once a minute on a line that is never quiet, and each second while little is known", () => {
  const state = welcomed({ stamp: 10_000, helloStamp: 10_000 });
  assert.deepEqual(pings(tick(state, 59 * second).effects), []);
  const asked = tick(state, 61 * second);
  assert.deepEqual(pings(asked.effects), [1]);
  assert.deepEqual(pings(tick(asked.state, 62 * second).effects), [], "one at a time");
  const answered = hear(asked.state, { t: "pong", n: 1, stamp: 61 * second }, 61 * second + 10_000).state;
  assert.deepEqual(pings(tick(answered, 120 * second).effects), []);
  assert.deepEqual(pings(tick(answered, 122 * second).effects), [2]);
  const vague = welcomed({ stamp: 10_000, helloStamp: 10_000 }, 5 * second);
  assert.deepEqual(pings(tick(vague, 5 * second + 1).effects), [1]);
});
