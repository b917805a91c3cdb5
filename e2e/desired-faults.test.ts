import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./faults/run.ts";

/**
 * Desired values that a device refuses, does not keep, that run out of time or race, set while the gateway is killed: each
 * in one final state with its reason and times, the same at cloud and gateway, and the device holding what it says. The
 * other scenarios are `npm run faults -- all`; how each thing that may be wrong is
 * found: faults/judge-outcomes.test.ts and the mutants.
 */
test("every desired value ends in one state with its reason, though the gateway is killed in between", async () => {
  const result = await run({ kind: "kill-agent", seed: 8, seconds: 6, rate: 100, mutant: null });
  assert.deepEqual(result.findings, []);
  assert.ok(result.struck && result.kills > 0, "the gateway was not killed");
  assert.ok(result.sets > 30, `only ${result.sets} desired values were set`);
});
