import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromSamples, type DeviceUid, type ErrorCode, type Layout, type Micros } from "@penstock/model";
import { outcomeOf } from "./results.ts";

function outcome(...reasons: (ErrorCode | null)[]): ErrorCode | null {
  const properties = reasons.map((_, i) => ({ name: `p${i}`, type: "float64" as const }));
  const layout: Layout = { id: 0, device: "press" as DeviceUid, properties };
  const samples = reasons.map((reason, i) => {
    const common = { property: `p${i}`, time: 1 as Micros };
    return reason === null
      ? ({ ...common, value: 7, quality: "good", reason: null } as const)
      : ({ ...common, value: null, quality: "bad", reason } as const);
  });
  return outcomeOf(batchFromSamples({ layout, samples }).batch).code;
}

// A device that is dead must be known as silent, or it costs its line a time-out in every cycle.
test("outcomeOf() takes what a mapper says without having asked for no sign of life", () => {
  assert.equal(outcome("mapper/timeout", "mapper/timeout"), "mapper/timeout");
  for (const unasked of ["mapper/bad-address", "mapper/unsupported", "input/invalid"] as const) {
    assert.equal(outcome(unasked, "mapper/timeout"), "mapper/timeout");
    assert.equal(outcome("mapper/gateway-no-response", unasked), "mapper/gateway-no-response");
    assert.equal(outcome(unasked, unasked), unasked, "it was not asked at all, or said so itself");
  }
});

test("outcomeOf() takes one good value, or what only a device can say, for an answer", () => {
  assert.equal(outcome("mapper/timeout", null, "mapper/bad-address"), null);
  assert.equal(outcome("mapper/timeout", "mapper/device-busy"), "mapper/device-busy");
  assert.equal(outcome("mapper/bad-address", "mapper/device-busy", "mapper/timeout"), "mapper/bad-address");
});
