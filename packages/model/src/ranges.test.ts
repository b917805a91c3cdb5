import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addRange, contiguousTo, holds, missingFrom, type Ranges } from "./ranges.ts";

const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(8)), { maxLength: 30 });

test("addRange() and missingFrom() agree with a plain set, and ranges stay ascending and apart", () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 60 }), fc.nat(30), (added, from, length) => {
      let ranges: Ranges = [];
      const set = new Set<number>();
      for (const [low, more] of added) {
        ranges = addRange(ranges, low, low + more);
        for (let n = low; n <= low + more; n++) set.add(n);
      }
      for (let i = 1; i < ranges.length; i++) assert.ok(ranges[i]![0] > ranges[i - 1]![1] + 1);
      assert.equal(
        ranges.reduce((sum, [low, high]) => sum + high - low + 1, 0),
        set.size,
      );
      const missing = new Set<number>();
      for (const [low, high] of missingFrom(ranges, from, from + length))
        for (let n = low; n <= high; n++) missing.add(n);
      for (let n = from; n <= from + length; n++) assert.equal(missing.has(n), !set.has(n));
      assert.equal(holds(ranges, from, from + length), missing.size === 0);
      let end = from - 1;
      while (set.has(end + 1)) end += 1;
      assert.equal(contiguousTo(ranges, from), end);
    }),
    { numRuns: 1000 },
  );
});

test("addRange() of an empty range changes nothing", () => {
  const ranges: Ranges = [[1, 2]];
  assert.equal(addRange(ranges, 5, 4), ranges);
});
