import { arrayFunctions } from "./array/all.ts";
import { convertFunctions } from "./convert/all.ts";
import type { ScalarFunction } from "./define-function.ts";
import { hashFunctions } from "./hash/all.ts";
import { jsonFunctions } from "./json/all.ts";
import { mathFunctions } from "./math/all.ts";
import { ruleFunctions } from "./rule/all.ts";
import { structFunctions } from "./struct/all.ts";
import { textFunctions } from "./text/all.ts";
import { timeFunctions } from "./time/all.ts";

const all: readonly ScalarFunction[] = [
  ...[...arrayFunctions, ...convertFunctions, ...hashFunctions, ...jsonFunctions, ...mathFunctions],
  ...[...ruleFunctions, ...structFunctions, ...textFunctions, ...timeFunctions],
];

/** Built-in functions by every name they have, in small letters. */
export const scalarFunctions: ReadonlyMap<string, ScalarFunction> = new Map(
  all.flatMap((one) => [one.name, ...(one.also ?? [])].map((name) => [name, one] as const)),
);
