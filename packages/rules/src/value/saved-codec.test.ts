import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ZonedInstant } from "../functions/time/part-zoned-instant.ts";
import { decodeSaved, encodeSaved, encodeSavedWithin } from "./saved-codec.ts";
import { Instant, type Value } from "./value.ts";

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Value>(null, true, false, Number.NaN, -0, Number.NEGATIVE_INFINITY, 2n ** 70n, "\ud800x"),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 20 }),
    fc.integer().map((micros) => new Instant(micros)),
    fc.integer().map((micros) => new ZonedInstant(micros, "Asia/Shanghai")),
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .dictionary(fc.string(), tie("value"), { maxKeys: 5 })
      .map((one) => Object.assign(Object.create(null), one) as Value),
  ),
}));

test("encodeSaved() and decodeSaved() bring every value back, to the bit", () => {
  fc.assert(
    fc.property(value, (one) => {
      const bytes = encodeSaved(one);
      const back = decodeSaved(bytes);
      assert.deepEqual(encodeSaved(back), bytes);
      assert.deepEqual(back, one);
    }),
    { numRuns: 2000 },
  );
});

test("decodeSaved() keeps a moment's zone, a name of the language's own, and the order of fields", () => {
  const zoned = decodeSaved(encodeSaved(new ZonedInstant(5, "Europe/Berlin")));
  assert.ok(zoned instanceof ZonedInstant && zoned.timeZone === "Europe/Berlin");
  const struct = Object.assign(Object.create(null), { b: 1n, a: 2n }) as { [name: string]: Value };
  Object.defineProperty(struct, "__proto__", { value: 3n, enumerable: true });
  assert.deepEqual(Object.entries(decodeSaved(encodeSaved(struct)) as object), [
    ["b", 1n],
    ["a", 2n],
    ["__proto__", 3n],
  ]);
});

test("decodeSaved() refuses what it did not make, and never asks for more than there is", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeSaved(Uint8Array.of(1, ...bytes));
      } catch (error) {
        assert.equal((error as { code: string }).code, "data/corrupt");
      }
    }),
    { numRuns: 2000 },
  );
  assert.throws(() => decodeSaved(Uint8Array.of(2, 0)), /another version/);
  assert.throws(() => decodeSaved(Uint8Array.of(1, 0, 0)), /bytes behind/);
});

test("encodeSavedWithin() makes the same bytes, and none where they are one too many", () => {
  fc.assert(
    fc.property(value, (one) => {
      const bytes = encodeSaved(one);
      assert.deepEqual(encodeSavedWithin(bytes.length, one), bytes);
      assert.equal(encodeSavedWithin(bytes.length - 1, one), null);
    }),
  );
});
