import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Mode, TimeUnit } from "../../parse/ast.ts";
import type { Row } from "../frame.ts";
import { type Aligned, firstEnd } from "./alignment.ts";
import { CountWindow } from "./count-window.ts";
import { SessionWindow } from "./session-window.ts";
import { SlidingWindow } from "./sliding-window.ts";
import { StateWindow } from "./state-window.ts";
import { TimedWindow } from "./timed-window.ts";
import type { Closed, Window } from "./window.ts";

const s = 1_000_000;
const row = (at: number, ...values: Row["values"]): Row => ({ at, source: 0, values });
const aligned = (unit: TimeUnit, count: number, mode: Mode = "strict", offset = 0): Aligned => ({
  ...{ unit, count, mode, offsetAt: () => offset },
});
/** "start-end: rows", in seconds */
const told = (closed: readonly Closed[]) =>
  closed.map(({ rows, span }) => `${span.start / s}-${span.end / s}: ${rows.map(({ at }) => at / s).join(" ")}`);
const played = (window: Window, seconds: readonly number[], until: number) => [
  ...seconds.flatMap((at) => told(window.push(row(at * s)))),
  ...told(window.tick(until * s)),
];

test("tumbling: from the left edge on, up to the right edge, which is the next one's", () => {
  const window = new TimedWindow({ hop: aligned("ss", 10), length: 10 });
  assert.deepEqual(played(window, [1, 9.999, 10, 25], 40), ["0-10: 1 9.999", "10-20: 10", "20-30: 25"]);
  assert.equal(window.due(), null);
  assert.deepEqual(told(window.push(row(61 * s))), []);
  assert.equal(window.due(), 70 * s);
});

test("hopping: each row is in as many windows as hops fit the length", () => {
  const window = new TimedWindow({ hop: aligned("ss", 5), length: 10 });
  assert.deepEqual(played(window, [1, 6, 12], 30), ["-5-5: 1", "0-10: 1 6", "5-15: 6 12", "10-20: 12"]);
});

test("windows stand on the plant's clock: a day ends at its midnight", () => {
  const twoHours = 7200 * s;
  assert.equal(firstEnd(0, aligned("dd", 1, "strict", twoHours)), 79_200 * s);
  assert.equal(firstEnd(0, aligned("hh", 6, "strict", twoHours)), 4 * 3600 * s);
});

test("compat: the first end is counted within the parent unit", () => {
  for (const [unit, count, at, end] of [
    ["ss", 10, 23, 30],
    ["ss", 10, 10.3, 10],
    ["ss", 120, 70, 180],
    ["ss", 7, 58, 63],
    ["mi", 45, 3000, 5400],
    ["ms", 300, 0.95, 1.2],
    ["hh", 5, 23 * 3600, 25 * 3600],
    ["dd", 2, 3600, 172_800],
  ] as const) {
    assert.equal(firstEnd(at * s, aligned(unit, count, "compat")) / s, end, `${unit} ${count} at ${at}`);
  }
});

test("sliding: one window for each row that triggers, with what is just as old as its length", () => {
  const all = new SlidingWindow({ lengthMicros: 10 * s, delayMicros: 0, triggers: () => true });
  assert.deepEqual(played(all, [0, 5, 10, 10.5], 99), ["-10-0: 0", "-5-5: 0 5", "0-10: 0 5 10", "0.5-10.5: 5 10 10.5"]);
  const some = new SlidingWindow({ lengthMicros: 10 * s, delayMicros: 0, triggers: ({ at }) => at === 10 * s });
  assert.deepEqual(played(some, [0, 5, 10, 10.5], 99), ["0-10: 0 5 10"]);
});

test("sliding with a delay looks ahead, and leaves out the moment at which it closes", () => {
  const window = new SlidingWindow({
    lengthMicros: 10 * s,
    delayMicros: 2 * s,
    triggers: ({ at }) => at % (5 * s) === 0,
  });
  assert.deepEqual(played(window, [1, 5, 6, 7, 8], 9), ["-5-7: 1 5 6"]);
  assert.deepEqual(told(window.push(row(10 * s))), []);
  assert.equal(window.due(), 12 * s);
});

test("session: closes when nothing came for the gap, or after it has lasted too long", () => {
  const strict = { gapMicros: 5 * s, mostMicros: 20 * s, ticks: aligned("ss", 20) };
  assert.deepEqual(played(new SessionWindow(strict), [1, 3, 30], 60), ["1-8: 1 3", "30-35: 30"]);
  assert.deepEqual(played(new SessionWindow(strict), [1, 5, 9, 13, 17, 21, 23], 60), [
    "1-21: 1 5 9 13 17",
    "21-28: 21 23",
  ]);
  const compat = { ...strict, ticks: aligned("ss", 20, "compat") };
  assert.deepEqual(
    played(new SessionWindow(compat), [1, 5, 9, 13, 17, 21, 23, 27, 31, 35, 39, 41], 60),
    ["1-40: 1 5 9 13 17 21 23 27 31 35 39", "41-46: 41"],
    "its length is looked at when the clock says 20, 40 and 60",
  );
});

test("count: the last rows, every so many, and not before there are enough", () => {
  assert.deepEqual(played(new CountWindow({ count: 3, every: 3 }), [1, 2, 3, 4, 5, 6, 7], 9), [
    "1-3: 1 2 3",
    "4-6: 4 5 6",
  ]);
  assert.deepEqual(played(new CountWindow({ count: 3, every: 2 }), [1, 2, 3, 4, 5, 6], 9), [
    "2-4: 2 3 4",
    "4-6: 4 5 6",
  ]);
});

test("state: from the row that begins to the row that ends, each partition by itself", () => {
  const window = new StateWindow({
    begins: ({ values }) => values[0] === "on",
    ends: ({ values }) => values[0] === "off",
    keyOf: ({ values }) => String(values[1]),
  });
  const rows = ["x:a", "on:a", "on:b", "x:a", "off:a", "x:b", "off:b"].map((text, at) =>
    row(at * s, ...text.split(":")),
  );
  assert.deepEqual(
    rows.flatMap((one) => told(window.push(one))),
    ["1-4: 1 3 4", "2-6: 2 5 6"],
  );
  const single = new StateWindow({ begins: ({ at }) => at % (3 * s) === 0, ends: null, keyOf: () => "" });
  assert.deepEqual(played(single, [1, 3, 4, 5, 6, 7, 9], 99), ["3-6: 3 4 5", "6-9: 6 7"]);
});

test("every row is in exactly the windows that its time says, whatever the ticks between", () => {
  const moments = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 * s }), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(moments, fc.constantFrom(1, 2, 5), fc.constantFrom(1, 2, 3), (steps, hop, times) => {
      const length = hop * times;
      const window = new TimedWindow({ hop: aligned("ss", hop), length });
      const ats: number[] = [];
      const closed: Closed[] = [];
      let now = 0;
      for (const [step, isRow] of steps) {
        now += step;
        closed.push(...(isRow ? window.push(row(now)) : window.tick(now)));
        if (isRow) ats.push(now);
      }
      closed.push(...window.tick(now + 100 * s));
      const wanted: string[] = [];
      for (let end = hop * s; end <= now + 2 * length * s; end += hop * s) {
        const inside = ats.filter((at) => at >= end - length * s && at < end);
        if (inside.length > 0) wanted.push(`${end / s - length}-${end / s}: ${inside.map((at) => at / s).join(" ")}`);
      }
      assert.deepEqual(told(closed), wanted);
    }),
  );
});
