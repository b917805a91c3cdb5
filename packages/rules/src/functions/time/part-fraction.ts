import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import type { Param } from "../define-function.ts";

export const fractionParam: Param = { name: "digits", is: "integer", isOptional: true };

/** Digits of a second's fraction, 0 to 6. eKuiper takes any other number for 0. @throws RowError in strict mode */
export function fractionDigits(name: string, digits: Value | undefined, mode: Mode): number | null {
  if (digits === undefined || digits === null) return null;
  const count = Number(digits);
  if (count >= 0 && count <= 6) return count;
  if (mode === "compat") return 0;
  throw new RowError(`Cannot call ${name}: digits must be 0 to 6, and is ${digits}`);
}

export function withFraction(pattern: string, digits: number): string {
  return digits === 0 ? pattern : `${pattern}.${"S".repeat(digits)}`;
}
