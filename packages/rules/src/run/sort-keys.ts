import type { Mode } from "../parse/ast.ts";
import { order } from "../value/compare.ts";
import { RowError } from "../value/row-error.ts";
import type { Value } from "../value/value.ts";
import type { Evaluate } from "./frame.ts";

export interface SortKey {
  readonly key: Evaluate;
  readonly isDescending: boolean;
}

/**
 * Nulls stand last in compat mode, whatever the direction; in strict mode null is the greatest, as PostgreSQL has it.
 * What does not compare keeps its order.
 *
 * @returns below 0, 0 or above 0, for a sort that is stable
 */
export function compareKeys(by: readonly SortKey[], mode: Mode, a: readonly Value[], b: readonly Value[]): number {
  for (const [at, { isDescending }] of by.entries()) {
    const [left, right] = [a[at]!, b[at]!];
    const sign = isDescending ? -1 : 1;
    if (left === null || right === null) {
      if (left === right) continue;
      const last = left === null ? 1 : -1;
      return mode === "compat" ? last : last * sign;
    }
    const found = orderOf(left, right);
    if (found !== 0) return found * sign;
  }
  return 0;
}

function orderOf(left: Value, right: Value): number {
  try {
    return order(left, right) || 0;
  } catch (error) {
    if (error instanceof RowError) return 0;
    throw error;
  }
}
