import assert from "node:assert/strict";
import { test } from "node:test";
import { planRun, scenarios } from "./plan.ts";

const kinds = ["mixed", ...scenarios] as const;

test("planRun() gives the same plan for the same seed, and each scenario something to do within its time", () => {
  for (const kind of kinds) {
    for (let seed = 0; seed < 50; seed++) {
      const plan = planRun({ kind, seed, seconds: 30 });
      assert.deepEqual(planRun({ kind, seed, seconds: 30 }), plan);
      assert.ok(plan.steps.length > 0, kind);
      for (const { atMs } of plan.steps) assert.ok(atMs >= 0 && atMs < plan.durationMs, `${kind} ${seed}: ${atMs}`);
    }
  }
});

test("planRun() without a scenario is one kill and one cut of ten seconds", () => {
  const victims = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const { steps } = planRun({ kind: "mixed", seed, seconds: 30 });
    const kills = steps.filter((step) => step.act === "kill");
    const cuts = steps.filter((step) => step.act === "line" && step.fault.kind === "cut" && step.forMs === 10_000);
    assert.deepEqual([steps.length, kills.length, cuts.length], [2, 1, 1]);
    for (const kill of kills) victims.add(kill.who);
  }
  assert.deepEqual([...victims].sort(), ["agent", "cloud", "mapper"]);
});

test("planRun() of an outage cuts the line for a minute and kills both sides twice within", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { steps } = planRun({ kind: "outage", seed, seconds: 30 });
    const cut = steps.find((step) => step.act === "line")!;
    assert.equal(cut.act === "line" && cut.forMs, 60_000);
    const kills = steps.filter((step) => step.act === "kill");
    assert.deepEqual(kills.map(({ who }) => who).sort(), ["agent", "agent", "cloud", "cloud"]);
    for (const { atMs } of kills) assert.ok(atMs > cut.atMs && atMs < cut.atMs + 60_000);
  }
});
