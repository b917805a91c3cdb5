import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createSweepPlanner, segmentIds } from "./sweep-planner.ts";

const segmentOf = (id: number) => Math.floor(id / segmentIds);

/** What stands in the hot table, row by row: the planner keeps only sums of it. */
function naiveHot() {
  const isLive = new Map<number, boolean>();
  const rows = () => [...isLive];
  return {
    isLive,
    live: () => rows().filter(([, live]) => live).length,
    dead: () => rows().filter(([, live]) => !live).length,
    sweep({ from, to }: { from: number; to: number }): Map<number, { live: number; dead: number }> {
      const found = new Map<number, { live: number; dead: number }>();
      for (const [id, live] of rows()) {
        if (id < from || id >= to) continue;
        const sums = found.get(segmentOf(id)) ?? { live: 0, dead: 0 };
        found.set(segmentOf(id), live ? { ...sums, live: sums.live + 1 } : { ...sums, dead: sums.dead + 1 });
        if (!live) isLive.delete(id);
      }
      return found;
    },
  };
}

// The promises: sealed rows are never more than twice the live ones, and no sweep rewrites much for little.
test("sweep planner bounds the sealed rows, and each sweep takes all or most of every segment", () => {
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constant("store" as const), count: fc.integer({ min: 1, max: 500 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        does: fc.constantFrom("seal" as const, "remove" as const),
        layout: fc.integer({ min: 0, max: 4 }),
        count: fc.integer({ min: 1, max: 200 }),
      }),
    },
  );
  const run = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const planner = createSweepPlanner();
    const hot = naiveHot();
    let nextId = 1;
    for (const { does, ...step } of steps) {
      if (does === "store") {
        for (let i = 0; i < step.count; i++, nextId++) {
          planner.stored(nextId);
          hot.isLive.set(nextId, true);
        }
        continue;
      }
      const { layout, count } = step as { layout: number; count: number };
      // Of five layouts, the last has one batch in sixteen.
      const isOf = (id: number) => (id % 16 === 0 ? layout === 4 : layout === id % 4);
      const ids = [...hot.isLive].filter(([id, live]) => live && isOf(id)).map(([id]) => id);
      const gone = Float64Array.from(ids.slice(0, count));
      for (const id of gone) does === "seal" ? hot.isLive.set(id, false) : hot.isLive.delete(id);
      if (does === "remove") planner.removed(gone);
      else planner.sealed(gone);
      for (let range = planner.next(); range !== null; range = planner.next()) {
        for (const { live, dead } of hot.sweep(range).values()) assert.ok(dead === 0 || dead > 2 * live);
        planner.swept(range);
      }
      assert.ok(hot.dead() <= 2 * hot.live(), `${hot.dead()} sealed, ${hot.live()} live`);
    }
    planner.askForAll();
    for (let range = planner.next(); range !== null; range = planner.next()) {
      hot.sweep(range);
      planner.swept(range);
    }
    assert.equal(hot.dead(), 0);
  });
  fc.assert(run, { numRuns: 60 });
});

test("sweep planner offers again what was not swept, and neighbours as one range", () => {
  const planner = createSweepPlanner();
  const ids = Float64Array.from({ length: 3 * segmentIds }, (_, i) => i);
  for (const id of ids) planner.stored(id);
  planner.sealed(ids.subarray(0, 2 * segmentIds));
  assert.deepEqual(planner.next(), { from: 0, to: 2 * segmentIds });
  assert.deepEqual(planner.next(), { from: 0, to: 2 * segmentIds });
  planner.swept({ from: 0, to: 2 * segmentIds });
  assert.equal(planner.next(), null);
});

test("sweep planner rewrites segments with live batches only once the sealed ones are more than twice as many", () => {
  const planner = createSweepPlanner();
  const ids = Array.from({ length: 16 * segmentIds }, (_, i) => i);
  for (const id of ids) planner.stored(id);
  const seal = (place: number) => planner.sealed(Float64Array.from(ids.filter((id) => id % 4 === place)));
  seal(0);
  seal(1);
  assert.equal(planner.next(), null);
  seal(2);
  assert.deepEqual(planner.next(), { from: 0, to: 16 * segmentIds });
});
