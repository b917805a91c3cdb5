import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Mode } from "../parse/ast.ts";
import { RowError } from "../value/row-error.ts";
import { Instant, kindOf, shown, type Value } from "../value/value.ts";
import { checkArgument, countProblem, paramAt } from "./check-arguments.ts";
import type { Param, ScalarFunction } from "./define-function.ts";
import { scalarFunctions } from "./registry.ts";
import { testHost } from "./test-host.ts";

const number = fc.oneof(
  fc.constantFrom<Value[]>(0n, 1n, -1n, 2n, 63n, 64n, 65_536n, 2n ** 63n - 1n, -(2n ** 63n)),
  fc.constantFrom<Value[]>(0, -0, 0.5, -2.5, 1e21, 1e300, -1e300, 5e-324, 2 ** 63),
  fc.constantFrom<Value[]>(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double(),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(
    "",
    " ",
    "0x1f",
    "-12",
    "1e400",
    "a{1000}",
    "(a",
    "$1",
    "${",
    "%",
    "é😀",
    "\ud800",
    "base64",
    "gzip",
    "zstd",
  ),
  fc.constantFrom(
    "bigint",
    "float",
    "string",
    "boolean",
    "datetime",
    "bytea",
    "$.a",
    "$..*",
    "yyyy-MM-dd",
    "2026-02-30",
  ),
  fc.constantFrom("en_US", "x-", "UTC", "[1,2]", '{"a":1}', "day", "x".repeat(70_000)),
);
const scalar = fc.oneof(
  ...[number, text, fc.boolean(), fc.constant(null), fc.uint8Array({ maxLength: 20 })],
  fc.integer({ min: -(2 ** 53), max: 2 ** 53 }).map((micros) => new Instant(micros)),
);
const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(fc.array(scalar, { maxLength: 2 }), { maxLength: 3 }) },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom("a", "b", "__proto__", "key"), scalar, { maxKeys: 3 }) },
  { weight: 1, arbitrary: fc.array(fc.dictionary(fc.constantFrom("a", "key", "value"), scalar), { maxLength: 3 }) },
);

/** Mostly what the function asks for, so that more than its checks are tried. */
function argumentOf({ is }: Param): fc.Arbitrary<Value> {
  const kinds = typeof is === "string" ? [is] : is;
  const asked = kinds.flatMap((kind): fc.Arbitrary<Value>[] => {
    if (kind === "number") return [number];
    if (kind === "integer")
      return [fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -3n, max: 9n })];
    return kind === "text" ? [text] : [];
  });
  return fc.oneof(
    { weight: 3, arbitrary: asked.length === 0 ? value : fc.oneof(...asked) },
    { weight: 1, arbitrary: value },
  );
}

function argumentsOf(spec: ScalarFunction): fc.Arbitrary<Value[]> {
  const { params } = spec;
  const counts = [0, 1, 2, 3, 4, 5, 6].filter((count) => countProblem(spec, count) === null);
  const most = counts.at(-1)!;
  return fc
    .tuple(fc.constantFrom(...counts), ...Array.from({ length: most }, (_, at) => argumentOf(paramAt(params, at))))
    .map(([count, ...args]) => args.slice(0, count));
}

function call({ name, params, takesNull, run }: ScalarFunction, args: readonly Value[], mode: Mode): Value {
  const checked = args.map((arg, at) => checkArgument(name, paramAt(params, at), arg));
  if (takesNull !== true && checked.includes(null)) return null;
  const of = { ruleId: "r", timeZone: "Europe/Berlin", host: testHost, now: 1_793_536_496_789_000 };
  return run(checked, { ...of, mode, functionNamed: (one) => scalarFunctions.get(one) });
}

/** @returns what is wrong with it as a value of the engine */
function problemOf(found: Value): string | null {
  if (found === undefined) return "it is undefined";
  if (typeof found === "bigint" && BigInt.asIntN(64, found) !== found) return "it does not fit 64 bits";
  if (found instanceof Instant) return Number.isInteger(found.micros) ? null : "a moment is not of whole microseconds";
  if (Array.isArray(found)) return found.map(problemOf).find((problem) => problem !== null) ?? null;
  if (kindOf(found) !== "struct") return null;
  return (
    Object.values(found as object)
      .map(problemOf)
      .find((problem) => problem !== null) ?? null
  );
}

for (const spec of new Set(scalarFunctions.values())) {
  test(`${spec.name}() gives a value or a RowError, whatever it is called with`, () => {
    fc.assert(
      fc.property(argumentsOf(spec), fc.constantFrom<Mode[]>("compat", "strict"), (args, mode) => {
        const before = args.map(shown);
        try {
          const found = call(spec, args, mode);
          assert.equal(problemOf(found), null, `gives ${kindOf(found)} ${shown(found)}`);
          const isFloat = typeof found === "number";
          const isMade = isFloat && spec.group === "math" && args.every((arg) => Number.isFinite(Number(arg)));
          if (isMade && mode === "strict") assert.ok(Number.isFinite(found), `gives ${found}`);
        } catch (error) {
          if (!(error instanceof RowError)) throw error;
        }
        assert.deepEqual(args.map(shown), before, "it changes what it is given");
      }),
      { numRuns: 100 },
    );
  });
}
