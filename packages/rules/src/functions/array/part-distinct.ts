import type { Mode } from "../../parse/ast.ts";
import type { Value } from "../../value/value.ts";
import { elementKey } from "./part-same.ts";

/** The elements that are none of `without`, each once. @throws RowError */
export function distinct(
  name: string,
  array: readonly Value[],
  { mode, without = [] }: { readonly mode: Mode; readonly without?: readonly Value[] },
): Value[] {
  const seen = new Set(without.map((one) => elementKey(name, one, mode)));
  return array.filter((one) => {
    const key = elementKey(name, one, mode);
    const isNew = key === null || !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
