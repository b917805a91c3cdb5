import type { ScalarFunction } from "../define-function.ts";
import { abs } from "./abs.ts";

export const mathFunctions: readonly ScalarFunction[] = [abs];
