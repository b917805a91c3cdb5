import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Row } from "../frame.ts";
import { charsOf, KeptRows, type RowBounds } from "../kept-rows.ts";
import type { RowOf } from "../saved-rows.ts";
import type { Aligned } from "./alignment.ts";
import { CountWindow } from "./count-window.ts";
import { SessionWindow } from "./session-window.ts";
import { SlidingWindow } from "./sliding-window.ts";
import { StateWindow } from "./state-window.ts";
import { TimedWindow } from "./timed-window.ts";
import type { Closed, Window } from "./window.ts";

const s = 1_000_000;
const rowOf: RowOf = (saved) => {
  const [at, source, values] = saved as unknown as [number, number, Row["values"]];
  return { at, source, values };
};
const ticks = (count: number, mode: Aligned["mode"] = "strict"): Aligned => ({
  ...{ unit: "ss", count, mode, offsetAt: () => 0 },
});
const isEven = ({ values }: Row) => values[0] === 0n;
/** each kind, of which a bound keeps the newest rows */
const kinds: Readonly<Record<string, (bounds: RowBounds) => Window>> = {
  tumbling: (bounds) => new TimedWindow({ hop: ticks(4), length: 4, bounds }),
  hopping: (bounds) => new TimedWindow({ hop: ticks(2), length: 6, bounds }),
  sliding: (bounds) => new SlidingWindow({ lengthMicros: 3 * s, delayMicros: 0, triggers: isEven, bounds }),
  session: (bounds) => new SessionWindow({ gapMicros: 2 * s, mostMicros: 9 * s, ticks: ticks(9), bounds }),
  sessionCompat: (bounds) =>
    new SessionWindow({ gapMicros: 2 * s, mostMicros: 9 * s, ticks: ticks(9, "compat"), bounds }),
  state: (bounds) => new StateWindow({ begins: isEven, ends: null, keyOf: () => "", bounds }),
};
const none: RowBounds = { rows: Number.POSITIVE_INFINITY, chars: Number.POSITIVE_INFINITY };

test("within a bound every kind of window closes at the same moments with the newest of its rows, also when it was saved", () => {
  const events = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 * s }), fc.bigInt({ min: 0n, max: 3n })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(kinds)), fc.integer({ min: 1, max: 5 }), events, (kind, most, steps) => {
      const bounds = { rows: most, chars: none.chars };
      let bounded = kinds[kind]!(bounds);
      const free = kinds[kind]!(none);
      const kept: Closed[] = [];
      const all: Closed[] = [];
      let now = 0;
      for (const [at, [step, value]] of steps.entries()) {
        now += step;
        const row: Row = { at: now, source: 0, values: [value] };
        kept.push(...bounded.push(row));
        all.push(...free.push(row));
        assert.ok(rowsIn(bounded) <= most, `${kind} keeps ${rowsIn(bounded)} of ${most}`);
        if (at % 7 !== 3) continue;
        const saved = bounded.save();
        bounded = kinds[kind]!(bounds);
        bounded.restore(saved, rowOf);
      }
      kept.push(...bounded.tick(now + 60 * s));
      all.push(...free.tick(now + 60 * s));
      assert.deepEqual(
        kept,
        all.map(({ rows, span }) => ({ rows: rows.slice(-most), span })),
      );
    }),
  );
});

/** rows that its saved state has */
function rowsIn(window: Window): number {
  return JSON.stringify(window.save(), (_, one) => (typeof one === "bigint" ? "v" : one)).split('"v"').length - 1;
}

test("what goes is counted: of a state window the one that began first gives way, whichever partition grows", () => {
  const window = new StateWindow({
    begins: () => true,
    ends: ({ values }) => values[1] === true,
    keyOf: ({ values }) => String(values[0]),
    bounds: { rows: 3, chars: 1000 },
  });
  const put = (key: string, ends = false) => window.push({ at: 1, source: 0, values: [key, ends] });
  for (const key of ["a", "b", "b", "b", "c"]) put(key);
  assert.equal(window.dropped, 2);
  assert.equal(put("b", true)[0]!.rows.length, 2, "the two newest of b: c has the third place");
  for (let key = 0; key < 1000; key++) put(`key ${key}`);
  assert.equal((window.save() as readonly unknown[]).length, 3);
  assert.equal(put("key 0")[0], undefined, "its window is gone, and begins anew");
});

test("a window of long texts is bounded by their characters, those within arrays and structs with them", () => {
  const window = new CountWindow({ count: 100, every: 100, bounds: { rows: 100, chars: 1000 } });
  const text = "x".repeat(90);
  for (let at = 0; at < 99; at++) window.push({ at, source: 0, values: [{ a: [text] }] });
  assert.ok(window.dropped >= 90, String(window.dropped));
  assert.equal(charsOf({ at: 0, source: 0, values: [text, 5n, new Uint8Array(3)] }), 93);
});

test("a sliding window drops triggers that wait beyond its bound, and counts them", () => {
  const window = new SlidingWindow({
    ...{ lengthMicros: s, delayMicros: 5 * s, triggers: () => true, bounds: { rows: 2, chars: 1000 } },
  });
  for (let at = 1; at <= 4; at++) assert.deepEqual(window.push({ at, source: 0, values: [] }), []);
  assert.equal(window.tick(10 * s).length, 2);
  assert.equal(window.dropped, 4, "two rows and two triggers");
});

test("KeptRows keeps nothing of what is gone, and takes and forgets millions quickly", () => {
  const rows = new KeptRows({ rows: 10_000, chars: 1e9 });
  for (let at = 0; at < 2_000_000; at++) rows.push({ at, source: 0, values: ["abc"] });
  assert.deepEqual([rows.length, rows.dropped, rows.chars], [10_000, 1_990_000, 30_000]);
  assert.deepEqual([rows.at(0).at, rows.last!.at, rows.countBefore(1_990_005)], [1_990_000, 1_999_999, 5]);
  rows.forget(9999);
  assert.deepEqual([rows.length, rows.chars, rows.slice()[0]!.at], [1, 3, 1_999_999]);
});
