import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { costOfRead, type PlanOptions, planReads, type Range } from "./plan-reads.ts";

/** a round trip of 5 ms against 0.16 µs a register: requests are all that counts */
const tcp = { fixed: 5000, perUnit: 0.16 };
/** 9600 baud, 8N1, Modbus RTU: 13 bytes and two silences of 3.5 characters a request, 2 bytes a register */
const paced = { fixed: 20_800, perUnit: 2083 };
const all = { maxLength: 125, cost: tcp };
const at = (...starts: number[]) => starts.map((start) => ({ start, length: 1 }));

function shape(ranges: readonly Range[], options: PlanOptions = all): string {
  return planReads(ranges, options)
    .map(({ start, length }) => `${start}+${length}`)
    .join(" ");
}

test("planReads() joins what one request can hold, and no more", () => {
  assert.equal(shape([]), "");
  assert.equal(shape([{ start: 7, length: 2 }]), "7+2");
  const [low, high] = [
    { start: 0, length: 2 },
    { start: 100, length: 25 },
  ];
  assert.equal(shape([high, low]), "0+125");
  assert.equal(shape([low, { start: 100, length: 26 }]), "0+2 100+26");
  assert.equal(shape([3, 3, 5].map((start) => ({ start, length: 4 }))), "3+6");
});

test("planReads() bridges a gap on a slow line only where it is cheaper than a request more", () => {
  // 20.8 ms a request against 2.083 ms a register: nine registers are cheaper, ten are not.
  assert.equal(shape(at(0, 10), { ...all, cost: paced }), "0+11");
  assert.equal(shape(at(0, 11), { ...all, cost: paced }), "0+1 11+1");
  assert.equal(shape(at(0, 11)), "0+12");
});

test("planReads() reads no gap above the limit, and of plans with equal requests the one with fewer registers", () => {
  assert.equal(shape(at(0, 10, 21), { ...all, maxGap: 9 }), "0+11 21+1");
  assert.equal(shape(at(0, 10, 21), { ...all, maxGap: 8 }), "0+1 10+1 21+1");
  // Two requests are needed; the wide gap is the one to leave out.
  assert.equal(shape(at(0, 60, 70, 140)), "0+71 140+1");
});

test("planReads() does not read across a cut, except for one range that lies there", () => {
  const ranges = [0, 2, 8].map((start) => ({ start, length: 2 }));
  assert.equal(shape(ranges, { ...all, cuts: [2, 4] }), "0+2 2+2 8+2");
  assert.equal(shape(ranges, { ...all, cuts: [3] }), "0+2 2+2 8+2");
  assert.equal(shape(ranges, { ...all, cuts: [8] }), "0+4 8+2");
  // The one across stands between two that are joined all the same.
  assert.equal(shape([{ start: 1, length: 9 }, ...at(0, 2)], { ...all, cuts: [5] }), "0+3 1+9");
});

const someRanges = (maxCount: number, reach: number) =>
  fc.array(fc.record({ start: fc.integer({ min: 0, max: reach }), length: fc.constantFrom(1, 2, 4) }), {
    maxLength: maxCount,
  });
const someOptions = fc.record({
  maxLength: fc.integer({ min: 4, max: 40 }),
  cost: fc.oneof(
    fc.constant(tcp),
    fc.constant(paced),
    fc.record({ fixed: fc.integer({ min: 0, max: 50 }), perUnit: fc.integer({ min: 0, max: 9 }) }),
  ),
  maxGap: fc.integer({ min: 0, max: 40 }),
  cuts: fc
    .array(fc.integer({ min: 0, max: 120 }), { maxLength: 3 })
    .map((cuts) => [...new Set(cuts)].toSorted((a, b) => a - b)),
});

/** Where a request begins and ends that reads these; null when none may. */
function spanOf(ranges: readonly Range[], options: PlanOptions): Range | null {
  const { maxLength, maxGap = Number.POSITIVE_INFINITY, cuts = [] } = options;
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  const start = sorted[0]!.start;
  let end = start;
  for (const range of sorted) {
    if (range.start - end > maxGap) return null;
    end = Math.max(end, range.start + range.length);
  }
  const isOne = ranges.every((range) => range.start === start && start + range.length === end);
  if (end - start > maxLength || (!isOne && cuts.some((cut) => start < cut && cut < end))) return null;
  return { start, length: end - start };
}

test("planReads() puts every range in exactly one request and keeps every limit, on any map", () => {
  fc.assert(
    fc.property(someRanges(60, 120), someOptions, (ranges, options) => {
      const plan = planReads(ranges, options);
      const planned = plan.flatMap((read) => read.ranges);
      assert.equal(planned.length, ranges.length);
      assert.equal(new Set(planned).size, new Set(ranges).size);
      for (const { start, length, ranges } of plan) assert.deepEqual({ start, length }, spanOf(ranges, options));
    }),
  );
});

/** Tries every way to share ranges among requests. */
function cheapest(ranges: readonly Range[], options: PlanOptions): { cost: number; requests: number } {
  const found = { cost: Number.POSITIVE_INFINITY, requests: Number.POSITIVE_INFINITY };
  const groups: Range[][] = [];
  const place = (next: number): void => {
    if (next === ranges.length) {
      const spans = groups.map((group) => spanOf(group, options));
      if (spans.includes(null)) return;
      found.cost = Math.min(
        found.cost,
        spans.reduce((sum, span) => sum + costOfRead(span!.length, options.cost), 0),
      );
      found.requests = Math.min(found.requests, spans.length);
      return;
    }
    for (const group of groups) {
      group.push(ranges[next]!);
      place(next + 1);
      group.pop();
    }
    groups.push([ranges[next]!]);
    place(next + 1);
    groups.pop();
  };
  place(0);
  return found;
}

const costOf = (plan: readonly Range[], options: PlanOptions) =>
  plan.reduce((sum, { length }) => sum + costOfRead(length, options.cost), 0);

test("planReads() costs no more than the best of all ways to share, with gaps, cuts and limits, on up to 8 ranges", () => {
  fc.assert(
    fc.property(someRanges(8, 100), someOptions, (ranges, options) => {
      if (ranges.length === 0) return;
      const cost = costOf(planReads(ranges, options), options);
      const best = cheapest(ranges, options).cost;
      assert.ok(cost <= best * (1 + 1e-9), `costs ${cost}, ${best} would do`);
    }),
    { numRuns: 300 },
  );
});

/** Every cutting of the ranges, in order of start, into runs: 2^(n-1) of them. */
function cheapestRuns(ranges: readonly Range[], options: PlanOptions): { cost: number; requests: number } {
  const sorted = ranges.toSorted((a, b) => a.start - b.start || a.length - b.length);
  const found = { cost: Number.POSITIVE_INFINITY, requests: Number.POSITIVE_INFINITY };
  for (let ends = 0; ends < 2 ** (sorted.length - 1); ends++) {
    const groups: Range[][] = [[]];
    sorted.forEach((range, i) => {
      groups.at(-1)!.push(range);
      if ((ends >> i) % 2 === 1) groups.push([]);
    });
    const spans = groups.map((group) => spanOf(group, options));
    if (spans.includes(null)) continue;
    found.cost = Math.min(found.cost, costOf(spans as Range[], options));
    found.requests = Math.min(found.requests, spans.length);
  }
  return found;
}

test("planReads() is found by exhaustive search too on maps of up to 12 ranges, and on TCP needs no request more", () => {
  fc.assert(
    fc.property(
      someRanges(12, 300),
      fc.integer({ min: 8, max: 125 }),
      fc.constantFrom(tcp, paced),
      (ranges, maxLength, cost) => {
        if (ranges.length === 0) return;
        const options = { maxLength, cost };
        const plan = planReads(ranges, options);
        const best = cheapestRuns(ranges, options);
        assert.ok(costOf(plan, options) <= best.cost * (1 + 1e-9));
        if (cost === tcp) assert.ok(plan.length <= best.requests * 1.1, `${plan.length}, ${best.requests} would do`);
      },
    ),
    { numRuns: 60 },
  );
});
