import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { creditFor, isMaterial } from "./credit.ts";

test("creditFor() is never 0, never beyond the share, and backlog gives way before live", () => {
  const budgetBytes = 128 * 1024 * 1024;
  fc.assert(
    fc.property(fc.nat(3 * budgetBytes), fc.nat(20_000), (pendingBytes, active) => {
      const credit = creditFor({ pendingBytes, budgetBytes, active });
      assert.ok(credit.backlog >= 16_384 && credit.live >= 65_536);
      assert.ok(credit.backlog <= Math.max(16_384, budgetBytes / Math.max(1, active)));
      assert.ok(credit.backlog <= credit.live);
    }),
  );
  const idle = creditFor({ pendingBytes: 0, budgetBytes, active: 30 });
  const full = creditFor({ pendingBytes: budgetBytes, budgetBytes, active: 30 });
  assert.ok(full.backlog < idle.backlog);
  assert.equal(full.live, idle.live);
  assert.equal(isMaterial(idle, full), true);
  assert.equal(isMaterial(idle, { ...idle, backlog: idle.backlog + 1 }), false);
});
