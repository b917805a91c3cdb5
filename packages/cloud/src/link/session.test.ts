import assert from "node:assert/strict";
import test from "node:test";
import type { BootId, DeviceUid, Epoch, Micros } from "@penstock/model";
import type { AnyMessage, CloudMessage } from "@penstock/wire";
import { cloudStep, newCloudSession } from "./session.ts";
import type { CloudInput, CloudStep } from "./session-state.ts";

const second = 1_000_000;
const device = "d".repeat(32) as DeviceUid;
const credit = { live: 1e6, backlog: 1e6 };
const hello = {
  t: "hello",
  ...{ versions: { min: 1, max: 1 }, features: [], agent: "1", boot: "b".repeat(32) as BootId },
  ...{ epoch: "e".repeat(32) as Epoch, lowest: 1, highest: 0, recovered: 0 },
  ...{ time: 0 as Micros, timeTrusted: true, assignedVersion: 0 },
};

function sent({ effects }: CloudStep): CloudMessage[] {
  return effects.flatMap((effect) => (effect.t === "send" ? [effect.message] : []));
}

test("cloudStep() stamps with its monotonic time since the session began, as of when times to live were reckoned", () => {
  const opened = 500 * second;
  let step: CloudStep = { state: newCloudSession(opened), effects: [] };
  const take = (input: CloudInput) => {
    step = cloudStep(step.state, input);
    return sent(step)[0];
  };
  take({ t: "message", message: hello as unknown as AnyMessage, now: opened + second });
  // Opening took the store 2 s; a step of the wall clock moves no stamp.
  const begun = { t: "begun", held: [], newEpoch: false, gap: [], credit, time: 7 as Micros } as const;
  const welcome = take({ ...begun, now: opened + 3 * second });
  assert.deepEqual(welcome?.t === "welcome" && [welcome.helloStamp, welcome.stamp], [second, 3 * second]);
  const value = { device, property: "p", type: "bool", value: true, version: 1, ttlMs: 9 } as const;
  const desired = take({ t: "desired", values: [value], asOf: opened + 4 * second });
  assert.deepEqual(desired, { t: "desired", values: [value], stamp: 4 * second });
  const call = { id: "c".repeat(32), device, method: "m", arguments: [], ttlMs: 9 };
  const calls = take({ t: "calls", calls: [call], asOf: opened + 5 * second });
  assert.deepEqual(calls, { t: "calls", calls: [call], stamp: 5 * second });
  const pong = take({ t: "message", message: { t: "ping", n: 4 }, now: opened + 6 * second });
  assert.deepEqual(pong, { t: "pong", n: 4, stamp: 6 * second });
  take({ t: "heard", now: opened + 6 * second });
  const ping = take({ t: "tick", now: opened + 12 * second, credit });
  assert.deepEqual(ping, { t: "ping", n: 1, stamp: 12 * second });
});
