import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type PlanOptions, planReads, type Range } from "./plan.ts";

const all = { maxLength: 125, maxGap: 125, cuts: [] };
function shape(ranges: readonly Range[], options: PlanOptions = all): string {
  return planReads(ranges, options)
    .map(({ start, length }) => `${start}+${length}`)
    .join(" ");
}

test("planReads() joins what one request can hold, and no more", () => {
  assert.equal(shape([]), "");
  assert.equal(shape([{ start: 7, length: 2 }]), "7+2");
  assert.equal(
    shape([
      { start: 100, length: 25 },
      { start: 0, length: 2 },
    ]),
    "0+125",
  );
  assert.equal(
    shape([
      { start: 0, length: 2 },
      { start: 100, length: 26 },
    ]),
    "0+2 100+26",
  );
  assert.equal(
    shape([
      { start: 3, length: 4 },
      { start: 3, length: 4 },
      { start: 5, length: 4 },
    ]),
    "3+6",
  );
});

test("planReads() reads no gap above the limit, and of equal plans the one with fewer registers", () => {
  const three = [
    { start: 0, length: 1 },
    { start: 10, length: 1 },
    { start: 21, length: 1 },
  ];
  assert.equal(shape(three, { ...all, maxGap: 9 }), "0+11 21+1");
  assert.equal(shape(three, { ...all, maxGap: 8 }), "0+1 10+1 21+1");
  // Two requests are needed; the wide gap is the one to leave out.
  const spread = [
    { start: 0, length: 1 },
    { start: 60, length: 1 },
    { start: 70, length: 1 },
    { start: 140, length: 1 },
  ];
  assert.equal(shape(spread), "0+71 140+1");
});

test("planReads() does not read across a cut, except for one range that lies there", () => {
  const ranges = [
    { start: 0, length: 2 },
    { start: 2, length: 2 },
    { start: 8, length: 2 },
  ];
  assert.equal(shape(ranges, { ...all, cuts: [2, 4] }), "0+2 2+2 8+2");
  assert.equal(shape(ranges, { ...all, cuts: [3] }), "0+2 2+2 8+2");
  assert.equal(shape(ranges, { ...all, cuts: [8] }), "0+4 8+2");
});

const someRanges = (maxCount: number, reach: number) =>
  fc.array(fc.record({ start: fc.integer({ min: 0, max: reach }), length: fc.constantFrom(1, 2, 4) }), {
    maxLength: maxCount,
  });
const someOptions = fc.record({
  maxLength: fc.integer({ min: 4, max: 40 }),
  maxGap: fc.integer({ min: 0, max: 40 }),
  cuts: fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 3 }).map((cuts) => cuts.toSorted((a, b) => a - b)),
});

function isAllowed(ranges: readonly Range[], { maxLength, maxGap, cuts }: PlanOptions): boolean {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  const start = sorted[0]!.start;
  let end = start;
  for (const range of sorted) {
    if (range.start - end > maxGap) return false;
    end = Math.max(end, range.start + range.length);
  }
  if (end - start > maxLength) return false;
  return ranges.length === 1 || !cuts.some((cut) => start < cut && cut < end);
}

test("planReads() covers every range and keeps every limit, on any map", () => {
  fc.assert(
    fc.property(someRanges(60, 120), someOptions, (ranges, options) => {
      const plan = planReads(ranges, options);
      assert.equal(plan.flatMap((read) => read.ranges).length, ranges.length);
      for (const range of ranges) assert.ok(plan.some((read) => read.ranges.includes(range)));
      for (const read of plan) {
        assert.ok(isAllowed(read.ranges, options), JSON.stringify(read));
        assert.equal(read.start, Math.min(...read.ranges.map((r) => r.start)));
        assert.equal(read.start + read.length, Math.max(...read.ranges.map((r) => r.start + r.length)));
      }
    }),
  );
});

/** Tries every way to share ranges among requests. */
function fewestRequests(ranges: readonly Range[], options: PlanOptions): number {
  let fewest = ranges.length;
  const groups: Range[][] = [];
  const place = (at: number): void => {
    if (groups.length >= fewest && at < ranges.length) return;
    if (at === ranges.length) {
      if (groups.length < fewest && groups.every((group) => isAllowed(group, options))) fewest = groups.length;
      return;
    }
    for (const group of groups) {
      group.push(ranges[at]!);
      place(at + 1);
      group.pop();
    }
    groups.push([ranges[at]!]);
    place(at + 1);
    groups.pop();
  };
  place(0);
  return fewest;
}

test("planReads() needs no more requests than the best of all plans, on maps of up to 8 ranges", () => {
  fc.assert(
    fc.property(someRanges(8, 100), someOptions, (ranges, options) => {
      // With cuts, duplicates of a range that lies across one may share its request or not: leave them out here.
      const plan = planReads(ranges, { ...options, cuts: [] }).length;
      const fewest = fewestRequests(ranges, { ...options, cuts: [] });
      assert.ok(plan <= fewest * 1.1, `${plan} requests, ${fewest} would do`);
    }),
    { numRuns: 300 },
  );
});
