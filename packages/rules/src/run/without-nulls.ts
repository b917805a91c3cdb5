import type { ObjectValue, Value } from "../value/value.ts";

/** The row without the columns that are null: itself, where none is. */
export function withoutNulls(row: ObjectValue): ObjectValue {
  if (!hasNull(row)) return row;
  const kept = Object.create(null) as { [name: string]: Value };
  for (const name in row) if (row[name] !== null) kept[name] = row[name]!;
  return kept;
}

function hasNull(row: ObjectValue): boolean {
  for (const name in row) if (row[name] === null) return true;
  return false;
}
