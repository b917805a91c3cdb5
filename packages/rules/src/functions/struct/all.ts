import type { ScalarFunction } from "../define-function.ts";

export const structFunctions: readonly ScalarFunction[] = [];
