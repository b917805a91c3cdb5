import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeTicks, encodeTicks, rowsOf } from "./ticks.ts";

test("encodeTicks() gives back every tick", () => {
  const times = fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(times, (list) => {
      const ticks = {
        sources: Float64Array.from(list, (_, i) => 1 + (i >> 5)),
        baseTimes: Float64Array.from(list),
        firstSeqs: Float64Array.from(list, (_, i) => 1 + i * 1000),
        patterns: [null, Uint16Array.of(0, 3, 9)],
        patternOf: Float64Array.from(list, (_, i) => i % 2),
        reasons: ["mapper/timeout", "x"],
      };
      assert.deepEqual(decodeTicks(encodeTicks(ticks)), ticks);
    }),
    { numRuns: 100 },
  );
});

test("encodeTicks() of a steady device with millisecond jitter costs about a byte a tick", () => {
  const count = 600;
  const jitter = (i: number) => ((i * 2654435761) >>> 0) % 8;
  const bytes = encodeTicks({
    sources: new Float64Array(count).fill(3),
    baseTimes: new Float64Array(count).map((_, i) => 1_795_000_000_000_000 + i * 1_000_000 + jitter(i) * 1000),
    firstSeqs: new Float64Array(count).map((_, i) => 1 + i * 1000),
    patterns: [null],
    patternOf: null,
    reasons: [],
  });
  assert.ok(bytes.length < 500, String(bytes.length));
});

test("rowsOf() finds a property's row in each pattern", () => {
  const ticks = {
    sources: Float64Array.of(1),
    baseTimes: Float64Array.of(0),
    firstSeqs: Float64Array.of(1),
    patterns: [null, Uint16Array.of(0, 3, 9), Uint16Array.of()],
    patternOf: null,
    reasons: [],
  };
  assert.deepEqual(rowsOf(ticks, 3), [3, 1, -1]);
  assert.deepEqual(rowsOf(ticks, 4), [4, -1, -1]);
});
