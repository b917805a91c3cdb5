import assert from "node:assert/strict";
import { test } from "node:test";
import type { AlarmAct, AlarmTransition, DeviceUid, Micros, RuleUid } from "@penstock/model";
import { type AnyMessage, decodeMessage, encodeMessage } from "./frames.ts";
import { checkCloudMessage } from "./link-cloud-messages.ts";
import { checkEdgeMessage } from "./link-edge-messages.ts";

const id = "0123456789abcdef0123456789abcdef";
const rule = "r1" as RuleUid;
const transition: AlarmTransition = {
  ...{ number: 2, occurrence: 1, kind: "shelved", time: 7 as Micros, rule, ruleName: "watch", alarm: "hot" },
  ...{ key: "k", device: "d1" as DeviceUid, severity: "major", message: "m", state: "acknowledged", count: 3 },
  ...{ shelving: { until: null, by: "ada" }, who: "ada", comment: null, escalated: 0 },
};
const act: AlarmAct = {
  ...{ id, kind: "acknowledge", rule, alarm: "hot", key: "k", occurrence: 1, who: "ada", comment: "seen", until: null },
};
type Check = typeof checkCloudMessage | typeof checkEdgeMessage;
const roundTrip = (message: unknown, check: Check) =>
  check(decodeMessage(encodeMessage(message as Parameters<typeof encodeMessage>[0])));

/** As a gateway or cloud of another version reads it: what is golden here may never change its meaning. */
const vectors: [string[], AnyMessage, Check][] = [
  [
    [
      "de0003 a174 ac616c61726d732d74616b656e", // map of 3: t "alarms-taken"
      "a565706f6368 d920 3031323334353637383961626364656630313233343536373839616263646566", // epoch, 32 characters
      "a76e756d62657273 92 01 02", // numbers: array of 2
    ],
    { t: "alarms-taken", epoch: id, numbers: [1, 2] },
    checkCloudMessage,
  ],
  [
    [
      "de0002 a174 af616c61726d2d616374732d646f6e65 a86f7574636f6d6573 91", // t "alarm-acts-done", outcomes: array of 1
      "de0002 a26964 d920 3031323334353637383961626364656630313233343536373839616263646566", // map of 2: id
      "a6726561736f6e c0", // reason nil: done
    ],
    { t: "alarm-acts-done", outcomes: [{ id, reason: null }] },
    checkEdgeMessage,
  ],
];

test("alarm golden vectors", () => {
  for (const [parts, message, check] of vectors) {
    const hex = parts.join("").replaceAll(" ", "");
    assert.equal(Buffer.from(encodeMessage(message as Parameters<typeof encodeMessage>[0])).toString("hex"), hex);
    assert.deepEqual(check(decodeMessage(Buffer.from(hex, "hex")))?.message, message);
  }
});

test("transitions and acts come as they went; fields of a later version are left out", () => {
  const told = { t: "alarms", epoch: id, transitions: [transition] };
  assert.deepEqual(roundTrip(told, checkEdgeMessage)?.message, told);
  const later = { ...told, transitions: [{ ...transition, confirmed: true }] };
  assert.deepEqual(roundTrip(later, checkEdgeMessage)?.message, told);
  const acts = { t: "alarm-acts", acts: [act] };
  assert.deepEqual(roundTrip(acts, checkCloudMessage)?.message, acts);
});

test("each field of a transition is checked", () => {
  const wrong: Partial<Record<keyof AlarmTransition, unknown>> = {
    ...{ number: -1, occurrence: "1", kind: "blown", time: 1.5, rule: 1, ruleName: "x".repeat(65), alarm: null },
    ...{ key: "k".repeat(257), device: 1, severity: "bad", message: "m".repeat(1025), state: "off", count: -1 },
    ...{ shelving: { until: "now", by: "ada" }, who: 1, comment: "c".repeat(1025), escalated: null },
  };
  for (const [field, value] of Object.entries(wrong)) {
    const message = { t: "alarms", epoch: id, transitions: [{ ...transition, [field]: value }] };
    assert.throws(() => checkEdgeMessage(message), new RegExp(`transitions\\[0\\]\\.${field}`));
  }
  assert.throws(
    () => checkEdgeMessage({ t: "alarms", epoch: id, transitions: Array(201).fill(transition) }),
    /at most 200/,
  );
});
