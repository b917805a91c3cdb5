import type { ObjectValue, Value } from "../value/value.ts";

/** The row without the columns that are null, as eKuiper sends it unless `sendNilField` says otherwise. */
export function withoutNulls(row: ObjectValue): ObjectValue {
  const kept = Object.create(null) as { [name: string]: Value };
  for (const name in row) if (row[name] !== null) kept[name] = row[name]!;
  return kept;
}
