import assert from "node:assert/strict";
import { test } from "node:test";
import { integerBounds, type Value } from "@penstock/model";
import fc from "fast-check";
import { type ConversionOptions, conversion, type RawValue } from "./conversion.ts";
import { rawTypes } from "./field.ts";

function read(options: ConversionOptions, raw: RawValue): Value | string {
  const { toValue, reasonFor } = conversion(options);
  return toValue(raw) ?? reasonFor(raw);
}
function write(options: ConversionOptions, value: Value): RawValue | string {
  try {
    return conversion(options).toRaw(value);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("conversion() scales by the decimal that was written, so 3 tenths print as 0.3", () => {
  const tenths = { raw: "int16", type: "float64", scale: 0.1 } as const;
  assert.equal(read(tenths, 3), 0.3); // 3 * 0.1 is 0.30000000000000004
  assert.equal(read(tenths, -215), -21.5);
  assert.equal(read({ raw: "uint16", type: "float64", scale: 0.0254, offset: -40 }, 1000), -14.6);
  assert.equal(read({ raw: "int16", type: "float64", scale: 1e-7 }, 3), 3e-7);
  assert.equal(read({ raw: "int16", type: "float64", scale: 1e21 }, 3), 3e21);
});

test("conversion() keeps 64-bit integers exact, narrow or wide, scaled by whole numbers", () => {
  assert.equal(read({ raw: "uint64", type: "uint64" }, 18446744073709551615n), 18446744073709551615n);
  assert.equal(read({ raw: "int64", type: "int64", scale: 10 }, 900719925474099267n), 9007199254740992670n);
  assert.equal(read({ raw: "int64", type: "int32" }, 7n), 7);
  assert.equal(read({ raw: "int16", type: "int64" }, -7), -7n);
  assert.equal(read({ raw: "uint64", type: "int64" }, 9223372036854775808n), "mapper/value-out-of-range");
});

test("conversion() reads what does not fit as no value with the reason", () => {
  assert.equal(read({ raw: "int16", type: "int8" }, 300), "mapper/value-out-of-range");
  assert.equal(read({ raw: "float32", type: "float32" }, Number.NaN), "mapper/value-not-finite");
  assert.equal(read({ raw: "float64", type: "float64" }, Number.NEGATIVE_INFINITY), "mapper/value-not-finite");
  assert.equal(read({ raw: "float32", type: "int16" }, Number.NaN), "mapper/value-not-finite");
  assert.equal(read({ raw: "float64", type: "float32" }, 1e300), "mapper/value-out-of-range");
});

test("conversion() reads bits and flags", () => {
  assert.equal(read({ raw: "bit", type: "bool" }, true), true);
  assert.equal(read({ raw: "uint16", type: "bool" }, 0), false);
  assert.equal(read({ raw: "uint64", type: "bool" }, 4n), true);
  assert.equal(read({ raw: "bit", type: "uint8" }, true), 1);
  assert.equal(read({ raw: "bit", type: "int64" }, true), 1n);
});

test("conversion() refuses to write what would be cut: 300 to int8, 40000 to int16, 1.5 to a whole number", () => {
  const out = "mapper/value-out-of-range";
  assert.equal(write({ raw: "int16", type: "int8" }, 300), out);
  assert.equal(write({ raw: "int16", type: "int32" }, 40_000), out);
  assert.equal(write({ raw: "int16", type: "int16" }, 1.5), out);
  assert.equal(write({ raw: "uint16", type: "float64", scale: 0.1 }, 6553.6), out);
  assert.equal(write({ raw: "float32", type: "float64" }, 1e39), out);
  assert.equal(write({ raw: "float64", type: "float64" }, Number.NaN), out);
  assert.equal(write({ raw: "int16", type: "int16" }, "7"), out);
  assert.equal(write({ raw: "bit", type: "bool" }, 2), out);
});

test("conversion() writes the nearest count", () => {
  assert.equal(write({ raw: "int16", type: "float64", scale: 0.1 }, 21.46), 215);
  assert.equal(write({ raw: "uint16", type: "float64", scale: 0.5, offset: -40 }, 0), 80);
  assert.equal(write({ raw: "int64", type: "int64", scale: 10 }, 9007199254740992670n), 900719925474099267n);
  assert.equal(write({ raw: "uint64", type: "uint64" }, 18446744073709551615n), 18446744073709551615n);
  assert.equal(write({ raw: "bit", type: "bool" }, true), true);
});

test("conversion() refuses text, a scale of 0 and a scaled bit when it is made", () => {
  for (const options of [
    { raw: "int16", type: "string" },
    { raw: "int16", type: "float64", scale: 0 },
    { raw: "bit", type: "bool", scale: 2 },
  ] as const) {
    assert.throws(() => conversion(options), { code: "mapper/unsupported" });
  }
});

test("conversion() gives back what it took, for every raw type, any decimal scale and every count", () => {
  const scales = fc.constantFrom(1, 0.1, 0.01, 0.25, 3, -0.5, 0.0254, 100);
  const counts = fc.constantFrom(...rawTypes.slice(0, 4)).chain((raw) => {
    const [low, high] = integerBounds[raw as "int16"];
    return fc.record({ raw: fc.constant(raw), count: fc.integer({ min: Number(low), max: Number(high) }) });
  });
  fc.assert(
    fc.property(counts, scales, fc.constantFrom(0, -40, 0.5), ({ raw, count }, scale, offset) => {
      const { toValue, toRaw } = conversion({ raw, type: "float64", scale, offset });
      assert.equal(toRaw(toValue(count)), count);
    }),
  );
  const big = fc.constantFrom("int64", "uint64").chain((raw) => {
    const [min, max] = integerBounds[raw];
    return fc.record({ raw: fc.constant(raw), count: fc.bigInt({ min, max }) });
  });
  fc.assert(
    fc.property(big, ({ raw, count }) => {
      const { toValue, toRaw } = conversion({ raw, type: raw });
      assert.equal(toRaw(toValue(count)), count);
    }),
  );
});
