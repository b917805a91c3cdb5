import type { ExactJson } from "../value.ts";
import { sameData } from "./assigned-change.ts";
import type { FieldChange } from "./origins.ts";

/**
 * What differs between two documents, field by field; a side without a field is null. Lists are compared as a whole.
 *
 * @example diffDocuments({ spec: { a: 1 } }, { spec: { a: 2 } }) // [{ field: "spec.a", before: 1, after: 2 }]
 */
export function diffDocuments(before: unknown, after: unknown): FieldChange[] {
  const changes: FieldChange[] = [];
  compare("", before, after, changes);
  return changes;
}

function compare(path: string, before: unknown, after: unknown, changes: FieldChange[]): void {
  if (sameData(before, after)) return;
  const [left, right] = [fieldsOf(before), fieldsOf(after)];
  // A block that comes or goes is said field by field, like one that changes; an empty one is said as it is.
  const keys = [...new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])].sort();
  const isBranch =
    (left ?? right) !== null && (left !== null || before === undefined) && (right !== null || after === undefined);
  if (isBranch && keys.length > 0) {
    for (const key of keys) compare(path === "" ? key : `${path}.${key}`, left?.[key], right?.[key], changes);
    return;
  }
  changes.push({ field: path, before: (before ?? null) as ExactJson, after: (after ?? null) as ExactJson });
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : null;
}
