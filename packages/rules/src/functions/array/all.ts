import type { ScalarFunction } from "../define-function.ts";

export const arrayFunctions: readonly ScalarFunction[] = [];
