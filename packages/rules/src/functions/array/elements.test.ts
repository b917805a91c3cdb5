import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Mode } from "../../parse/ast.ts";
import { isSame } from "../../value/compare.ts";
import { RowError } from "../../value/row-error.ts";
import { Instant, type Value } from "../../value/value.ts";
import { scalarFunctions } from "../registry.ts";
import { testHost } from "../test-host.ts";
import { sameElement } from "./part-same.ts";

const leaf = fc.oneof(
  fc.constantFrom<Value[]>(0n, 1n, 2n ** 53n, 0, -0, 1, 1.5, 2 ** 53, "", "1", "n1", "null", "[]", true, false, null),
  fc.constantFrom<Value[]>(new Instant(1), new Uint8Array([1]), new Uint8Array([1, 2])),
);
const { element } = fc.letrec<{ element: Value }>((tie) => ({
  element: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    fc.array(tie("element"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("element"), { maxKeys: 2 }),
  ),
}));
const array = fc.array(fc.oneof({ weight: 9, arbitrary: element }, fc.constant(Number.NaN)), { maxLength: 6 });
const modes = fc.constantFrom<Mode>("compat", "strict");

/** null: it is an error */
function call(name: string, args: readonly Value[], mode: Mode): Value {
  try {
    return scalarFunctions
      .get(name)!
      .run(args, { mode, ruleId: "r", host: testHost, now: 0, timeZone: "UTC", functionNamed: () => undefined });
  } catch (error) {
    assert.ok(error instanceof RowError, String(error));
    return null;
  }
}

const same = (left: Value, right: Value, mode: Mode) => sameElement("test", left, right, mode);
const has = (all: readonly Value[], one: Value, mode: Mode) => all.some((other) => same(one, other, mode));
const unique = (all: readonly Value[], mode: Mode) => all.filter((one, at) => !has(all.slice(0, at), one, mode));

/** What each is, in as many comparisons as there are pairs. */
const models: Readonly<Record<string, (a: Value[], b: Value[], mode: Mode) => Value>> = {
  array_union: (a, b, mode) => unique([...a, ...b], mode),
  array_except: (a, b, mode) => unique(a, mode).filter((one) => !has(b, one, mode)),
  array_intersect: (a, b, mode) => unique(b, mode).filter((one) => has(a, one, mode)),
  array_contains_any: (a, b, mode) => a.some((one) => has(b, one, mode)),
};

for (const [name, model] of Object.entries(models)) {
  test(`${name}() finds in one pass what comparing each with each finds`, () => {
    fc.assert(
      fc.property(array, array, modes, (a, b, mode) => {
        const found = call(name, [a, b], mode);
        // In compat mode what cannot be compared is an error, whether or not a comparison would have come to it.
        if (found === null) return assert.equal(mode, "compat");
        const wanted = model(a, b, mode);
        assert.equal(
          typeof found === "boolean" ? found : (found as Value[]).length,
          typeof wanted === "boolean" ? wanted : (wanted as Value[]).length,
        );
        if (Array.isArray(found))
          for (const [at, one] of found.entries()) assert.ok(Object.is(one, (wanted as Value[])[at]));
      }),
      { numRuns: 300 },
    );
  });
}

test("array_distinct(), array_remove() and array_position() tell elements apart alike", () => {
  fc.assert(
    fc.property(array, element, modes, (all, one, mode) => {
      const at = call("array_position", [all, one], mode) as bigint | null;
      const left = call("array_remove", [all, one], mode) as Value[] | null;
      if (at === null || left === null) return assert.equal(mode, "compat");
      assert.equal(left.length < all.length, at >= 0n);
      const distinct = call("array_distinct", [all], mode) as Value[];
      if (mode === "strict") assert.equal(distinct.length, unique(all, mode).length);
      assert.ok(call("array_distinct", [distinct], mode) !== null);
    }),
    { numRuns: 300 },
  );
});

test("array_shuffle() keeps every element, and array_sort() puts each order of them into one", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer(), fc.bigInt({ min: -9n, max: 9n }), fc.constant(null))), (all) => {
      const sorted = call("array_sort", [all], "strict");
      assert.ok(isSame(call("array_sort", [call("array_shuffle", [all], "strict")], "strict"), sorted));
    }),
  );
});
