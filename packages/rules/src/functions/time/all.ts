import type { ScalarFunction } from "../define-function.ts";

export const timeFunctions: readonly ScalarFunction[] = [];
