import type { ScalarFunction } from "../define-function.ts";

export const convertFunctions: readonly ScalarFunction[] = [];
