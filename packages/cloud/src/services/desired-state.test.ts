import assert from "node:assert/strict";
import { test } from "node:test";
import { type DesiredState, desiredStates, isFinal } from "@penstock/model";
import fc from "fast-check";
import { type DesiredProgress, isNews } from "./desired-state.ts";

const progress = fc.record({ version: fc.integer({ min: 1, max: 4 }), state: fc.constantFrom(...desiredStates) });

function play(reports: readonly DesiredProgress[]): DesiredProgress[] {
  const seen: DesiredProgress[] = [{ version: 3, state: "pending" }];
  for (const report of reports) if (isNews(seen.at(-1)!, report)) seen.push(report);
  return seen;
}

test("isNews() never lets an older version speak, nor a state fall back, in whatever order reports come", () => {
  const order: DesiredState[] = ["pending", "sent", "written"];
  fc.assert(
    fc.property(fc.array(progress, { maxLength: 12 }), (reports) => {
      const seen = play(reports);
      for (let i = 1; i < seen.length; i++) {
        const [before, now] = [seen[i - 1]!, seen[i]!];
        assert.equal(now.version, 3);
        if (isFinal(before.state))
          assert.ok(before.state === "expired" && (now.state === "confirmed" || now.state === "failed"));
        else if (!isFinal(now.state)) assert.ok(order.indexOf(now.state) > order.indexOf(before.state));
      }
    }),
  );
});

test("isNews() takes repeated reports once", () => {
  fc.assert(
    fc.property(fc.array(progress, { maxLength: 8 }), (reports) => {
      assert.deepEqual(play(reports.flatMap((report) => [report, report])), play(reports));
    }),
  );
});
