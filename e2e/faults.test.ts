import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./faults/run.ts";

/** The promise itself, with real processes: what was accepted is stored once and in order, whatever is killed and cut. */
test("a gateway that is killed and a line that is cut lose nothing, double nothing and leave nothing stale", async () => {
  const result = await run({ kind: "mixed", seed: 5, seconds: 9, rate: 1500, mutant: null });
  assert.deepEqual(result.findings, []);
  const { lost, duplicated, outOfOrder, stale, struck, kills } = result;
  assert.deepEqual(
    { lost, duplicated, outOfOrder, stale, struck, kills },
    { lost: 0, duplicated: 0, outOfOrder: 0, stale: 0, struck: true, kills: 1 },
  );
  assert.ok(result.accepted > 5000, `only ${result.accepted} readings were accepted`);
  assert.ok(result.sets > 10, `only ${result.sets} desired values were set`);
});
