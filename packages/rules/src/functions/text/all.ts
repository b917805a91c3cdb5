import type { ScalarFunction } from "../define-function.ts";

export const textFunctions: readonly ScalarFunction[] = [];
