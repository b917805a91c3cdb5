import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Watermark, type WatermarkOptions } from "./watermark.ts";

const options = (more: Partial<WatermarkOptions> = {}): WatermarkOptions => ({
  ...{ sources: 2, toleranceMicros: 0, idleAfterMicros: null, most: 1000 },
  ...more,
});
const row = (at: number) => ({ at, source: 0, values: [] });
const ats = (rows: readonly { readonly row: { readonly at: number } }[]) => rows.map((one) => one.row.at);

test("rows of two sources go on in the order of their times, as far as both have told", () => {
  const mark = new Watermark(options(), 0);
  assert.deepEqual(ats(mark.push({ source: 0, row: row(10) }, 1)), []);
  assert.deepEqual(ats(mark.push({ source: 0, row: row(20) }, 2)), []);
  assert.deepEqual(ats(mark.push({ source: 1, row: row(15) }, 3)), [10, 15]);
  assert.deepEqual(ats(mark.push({ source: 1, row: row(12) }, 4)), []);
  assert.equal(mark.late, 1);
});

test("a tolerance holds rows back for those that come late", () => {
  const mark = new Watermark(options({ sources: 1, toleranceMicros: 5 }), 0);
  const told = [10, 14, 12, 16, 11, 30].flatMap((at) => ats(mark.push({ source: 0, row: row(at) }, at)));
  assert.deepEqual(told, [10, 11, 12, 14, 16]);
  assert.equal(mark.late, 0);
});

test("a source that is silent holds the others up only so long", () => {
  const mark = new Watermark(options({ idleAfterMicros: 100 }), 0);
  assert.deepEqual(ats(mark.push({ source: 0, row: row(10) }, 50)), []);
  assert.equal(mark.due(), 100);
  assert.deepEqual(ats(mark.tick(100)), [10]);
  assert.deepEqual(ats(mark.push({ source: 0, row: row(20) }, 120)), [20]);
  const forEver = new Watermark(options(), 0);
  forEver.push({ source: 0, row: row(10) }, 50);
  assert.deepEqual(ats(forEver.tick(1e12)), []);
  assert.equal(forEver.due(), null);
});

test("what goes on is sorted, nothing is lost but what is late, and no more waits than may", () => {
  const rows = fc.array(fc.tuple(fc.nat(1), fc.nat(1000)), { maxLength: 100 });
  fc.assert(
    fc.property(rows, fc.nat(200), fc.integer({ min: 1, max: 20 }), (all, toleranceMicros, most) => {
      const mark = new Watermark(options({ toleranceMicros, most, idleAfterMicros: 50 }), 0);
      const told = all.flatMap(([source, at], now) => ats(mark.push({ source, row: row(at) }, now)));
      told.push(...ats(mark.tick(1000)));
      assert.deepEqual(
        told,
        [...told].sort((a, b) => a - b),
      );
      assert.equal(told.length + mark.late, all.length);
    }),
  );
});
