import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutDecimal, exactDecimal, floatOf, plainDecimal, writtenDecimal } from "./part-decimal.ts";
import { quickCut } from "./part-quick.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const places = fc.integer({ min: 0, max: 30 });

test("writtenDecimal() and exactDecimal() mean the float they were made of", () => {
  fc.assert(
    fc.property(finite, (x) => {
      // 0 has no sign here: nobody writes -0.
      assert.equal(floatOf(writtenDecimal(x)), x + 0);
      assert.equal(floatOf(exactDecimal(x)), x + 0);
      assert.equal(Number(plainDecimal(writtenDecimal(x))), x + 0);
    }),
  );
});

test("cutDecimal() of the exact value is what toFixed gives, but for halves", () => {
  const ordinary = fc.double({ noNaN: true, min: -1e15, max: 1e15 });
  fc.assert(
    fc.property(ordinary, places, (x, count) => {
      const exact = exactDecimal(x);
      const beyond = plainDecimal(exact).split(".")[1]?.slice(count) ?? "";
      if (/^50*$/.test(beyond)) return;
      const text = plainDecimal(cutDecimal(exact, count, "halfEven"), count);
      assert.equal(text.replace(/^-(?=[0.]*$)/, ""), x.toFixed(count).replace(/^-(?=[0.]*$)/, ""));
    }),
    { numRuns: 1000 },
  );
});

test("cutDecimal() settles halves as it is told, on both sides of 0", () => {
  const cut = (x: number, how: Parameters<typeof cutDecimal>[2]) => floatOf(cutDecimal(writtenDecimal(x), 1, how));
  const all = [0.25, 0.35, -0.25, -0.35];
  assert.deepEqual(
    all.map((x) => cut(x, "halfEven")),
    [0.2, 0.4, -0.2, -0.4],
  );
  assert.deepEqual(
    all.map((x) => cut(x, "halfAway")),
    [0.3, 0.4, -0.3, -0.4],
  );
  assert.deepEqual(
    all.map((x) => cut(x, "towardsZero")),
    [0.2, 0.3, -0.2, -0.3],
  );
});

test("quickCut() is what cutDecimal() gives, or nothing", () => {
  const near = fc.tuple(fc.integer({ min: -10_000_000, max: 10_000_000 }), fc.integer({ min: 0, max: 4 }));
  const like = fc.oneof(
    finite,
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
    near.map(([n, places]) => n / 10 ** places),
  );
  let quick = 0;
  fc.assert(
    fc.property(like, fc.integer({ min: -2, max: 16 }), fc.constantFrom("halfAway", "towardsZero"), (x, count, how) => {
      const found = quickCut(x, count, how);
      if (found === undefined) return;
      quick++;
      const exact = cutDecimal(writtenDecimal(x), count, how);
      assert.ok(Object.is(found, floatOf(exact)), `${x} with ${count} places`);
      assert.equal(found.toFixed(count), plainDecimal(exact, count));
    }),
    { numRuns: 2000 },
  );
  assert.ok(quick > 300, `only ${quick} of 2000 were quick`);
});

test("cutDecimal() takes any number of places in little time", () => {
  assert.equal(floatOf(cutDecimal(writtenDecimal(1.5), -(10 ** 15), "halfAway")), 0);
  assert.equal(floatOf(cutDecimal(writtenDecimal(1.5), 10 ** 15, "halfAway")), 1.5);
});
