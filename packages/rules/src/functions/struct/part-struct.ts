import type { Mode } from "../../parse/ast.ts";
import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import type { ObjectValue, Value } from "../../value/value.ts";
import { bounded } from "../array/part-size.ts";

/**
 * A struct of these fields. A name that is there twice has the last value in compat mode.
 *
 * @throws RowError  in strict mode for a name that is there twice; where the struct is too large
 */
export function structOf(name: string, entries: readonly (readonly [string, Value])[], mode: Mode): ObjectValue {
  effort.fields(2 * entries.length);
  if (mode === "strict") {
    const seen = new Set<string>();
    for (const [field] of entries) {
      if (seen.has(field)) throw new RowError(`Cannot call ${name}: "${field}" is there twice`);
      seen.add(field);
    }
  }
  // Object.fromEntries defines each field, whatever its name: "__proto__" is one like the others.
  return bounded(name, Object.fromEntries(entries));
}
