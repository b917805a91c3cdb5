import { abs } from "./abs.ts";
import type { ScalarFunction } from "./define-function.ts";

const all: readonly ScalarFunction[] = [abs];

/** Built-in functions by every name they have, in small letters. */
export const scalarFunctions: ReadonlyMap<string, ScalarFunction> = new Map(
  all.flatMap((one) => [one.name, ...(one.also ?? [])].map((name) => [name, one] as const)),
);
