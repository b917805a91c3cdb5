import assert from "node:assert/strict";
import { test } from "node:test";
import { type DesiredValue, type DeviceUid, limits, type Value } from "@penstock/model";
import { type Desired, encodeMessage } from "@penstock/wire";
import fc from "fast-check";
import { desiredMessages } from "./desired-messages.ts";

const of = (device: number, property: number, value: Value, type: DesiredValue["type"]): DesiredValue => ({
  ...{ device: `device-${device}` as DeviceUid, property: `p${property}`, type, value, version: 1, ttlMs: 60_000 },
});

// A gateway writes what it gets in one message in one go: a device whose values came in two would be asked twice.
test("desiredMessages() keeps all numbers of a device together, however they were set in turns", () => {
  const values = Array.from({ length: 3000 }, (_, i) => of(i % 3, i, i, "int32"));
  const messages = desiredMessages(values);
  assert.equal(messages.flat().length, 3000);
  for (let device = 0; device < 3; device++) {
    const holding = messages.filter((message) => message.some((value) => value.device === `device-${device}`));
    assert.equal(holding.length, 1);
    const own = holding[0]!.filter((value) => value.device === `device-${device}`).map(({ value }) => value as number);
    assert.deepEqual(
      own,
      [...own].sort((a, b) => a - b),
      "the order in which they were set",
    );
  }
});

test("desiredMessages() gives no message that the link refuses, and loses nothing", () => {
  const text = fc.integer({ min: 0, max: limits.stringValueBytes }).map((length) => "\u20ac".repeat(length));
  fc.assert(
    fc.property(fc.array(fc.record({ device: fc.nat(3), text }), { maxLength: 120 }), (given) => {
      const values = given.map(({ device, text }, i) => of(device, i, text, "string"));
      const messages = desiredMessages(values);
      assert.equal(messages.flat().length, values.length);
      for (const message of messages) {
        const sent: Desired = { t: "desired", values: message };
        assert.ok(encodeMessage(sent).length <= limits.messageBytes);
      }
    }),
    { numRuns: 10 },
  );
});
