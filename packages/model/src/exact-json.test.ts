import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { boundsAsText, narrowIntegers, parseExact, stringifyExact } from "./exact-json.ts";
import type { ExactJson } from "./value.ts";

test("parseExact() keeps every digit of integers and leaves floating point numbers alone", () => {
  assert.deepEqual(
    parseExact(
      '{"most":18446744073709551615,"least":-9223372036854775808,"wide":1e20,"f":0.1234567890123456789,"n":[[5]]}',
    ),
    {
      most: 18446744073709551615n,
      least: -9223372036854775808n,
      wide: 1e20,
      f: 0.12345678901234568,
      n: [[5]],
    },
  );
  assert.equal(parseExact("9007199254740991"), 9007199254740991);
  assert.equal(parseExact("9007199254740992"), 9007199254740992n);
  assert.equal(parseExact('"18446744073709551615"'), "18446744073709551615");
});

// Whatever a person wrote into a custom block comes back: over HTTP, from the store, in the file that `get` prints.
test("parseExact(stringifyExact(x)) is x", () => {
  const scalar = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
    fc.constantFrom(1e20, -1e300, 2 ** 53, 2 ** 64),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map((n) => narrowIntegers(n)),
  );
  const { tree } = fc.letrec<{ tree: ExactJson }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      scalar as fc.Arbitrary<ExactJson>,
      fc.array(tie("tree")),
      fc.dictionary(
        fc.string().filter((key) => key !== "__proto__"),
        tie("tree"),
        { noNullPrototype: true },
      ),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      assert.deepEqual(parseExact(stringifyExact(value)), value);
      assert.deepEqual(parseExact(stringifyExact(value, 2)), value);
    }),
    { numRuns: 200 },
  );
});

test("boundsAsText() rewrites bounds and leaves custom blocks as they are", () => {
  const wide = 18446744073709551615n;
  assert.deepEqual(boundsAsText({ spec: { p: { maximum: wide, custom: { maximum: wide, list: [[wide]] } } } }), {
    spec: { p: { maximum: "18446744073709551615", custom: { maximum: wide, list: [[wide]] } } },
  });
});
