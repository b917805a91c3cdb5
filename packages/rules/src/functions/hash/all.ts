import type { ScalarFunction } from "../define-function.ts";

export const hashFunctions: readonly ScalarFunction[] = [];
