import type { ScalarFunction } from "../define-function.ts";

export const ruleFunctions: readonly ScalarFunction[] = [];
