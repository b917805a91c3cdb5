import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@penstock/model";
import { checkEdgeMessage } from "./link-edge-messages.ts";

const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };
function countersAfter(counters: unknown): unknown {
  const report = { agentVersion: "0.1.0", mappers: [], devices: [], cycles: [], lines: [], outbox, counters };
  const checked = checkEdgeMessage({ t: "status", report });
  assert.ok(checked?.message.t === "status");
  return checked.message.report.counters;
}

test("checkEdgeMessage() keeps the counters of a status that are ours, and at most so many", () => {
  const good = { penstock_bus_dropped_readings_total: 4, penstock_bypass_refused_total: 2 };
  assert.deepEqual(countersAfter(good), good);
  const odd = {
    "<b>": 1,
    penstock_bus_dropped: -1,
    penstock_a: 0.5,
    penstock_b: "1",
    [`penstock_${"x".repeat(120)}`]: 1,
  };
  assert.deepEqual(countersAfter({ ...odd, ...good }), good);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`penstock_test_${i}_total`, i]));
  assert.equal(Object.keys(countersAfter(many) as object).length, limits.countersPerNode);
  assert.throws(() => countersAfter(7), /report\.counters: a map/);
});

test("checkEdgeMessage() names the entry of a list that is no map, whatever the message", () => {
  for (const taken of [null, 7, "x", [], undefined])
    assert.throws(() => checkEdgeMessage({ t: "desired-taken", taken: [taken] }), /desired-taken\.taken\[0\]/);
});

test("checkEdgeMessage() reads the status of an agent that knows no rules as one without any, and bounds what one tells of them", () => {
  const base = { agentVersion: "0.1.0", mappers: [], devices: [], cycles: [], lines: [], outbox, counters: {} };
  const rulesIn = (report: object) => {
    const checked = checkEdgeMessage({ t: "status", report });
    assert.ok(checked?.message.t === "status");
    return checked.message.report.rules;
  };
  assert.deepEqual(rulesIn(base), []);
  const rule = {
    ...{ rule: "r", generation: 2, state: "refused", reason: "rules/bad-sql", message: "no", rowsIn: 0, rowsOut: 0 },
    ...{ errors: 0, lastError: null },
  };
  assert.deepEqual(rulesIn({ ...base, rules: [{ ...rule, later: 1 }] }), [rule]);
  assert.throws(() => rulesIn({ ...base, rules: [{ ...rule, state: "odd" }] }), /report\.rules\[0\]\.state/);
  assert.throws(() => rulesIn({ ...base, rules: new Array(limits.rulesTold + 1).fill(rule) }), /report\.rules/);
});
