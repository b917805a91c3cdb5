import assert from "node:assert/strict";
import { test } from "node:test";
import type { Value, ValueType } from "./value.ts";
import { castExactly } from "./value-cast.ts";

test("castExactly() gives the same number or none", () => {
  const cases: [Value, ValueType, Value][] = [
    [215, "float64", 215],
    [21.5, "int16", null],
    [70_000, "int16", null],
    [-1, "uint8", null],
    [42, "int64", 42n],
    [2n ** 53n + 1n, "float64", null],
    [2n ** 53n, "float64", 2 ** 53],
    [2n ** 63n, "int64", null],
    [0.1, "float32", null],
    [0.5, "float32", 0.5],
    [true, "int8", null],
    ["42", "int8", null],
    [42, "string", null],
    [null, "float64", null],
  ];
  for (const [value, to, expected] of cases) assert.equal(castExactly(value, to), expected, `${value} as ${to}`);
});
