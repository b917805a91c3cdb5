import type { ScalarFunction } from "../define-function.ts";

export const jsonFunctions: readonly ScalarFunction[] = [];
