import type { Mode } from "../parse/ast.ts";
import { effort } from "../run/effort.ts";
import { RowError } from "../value/row-error.ts";
import { isObject, kindOf, shown, type Value } from "../value/value.ts";

/** `of->name`; null of null and of a struct without it. @throws RowError for what is no struct */
export function memberOf(of: Value, name: string): Value {
  if (of === null || of === undefined) return null;
  if (!isObject(of)) throw new RowError(`Cannot read "${name}" of ${kindOf(of)} ${shown(of)}: it has no fields`);
  return Object.hasOwn(of, name) ? of[name]! : null;
}

/** `of[index]`; below 0 counts from the end. @throws RowError outside of the array */
export function elementOf(of: Value, index: Value): Value {
  if (of === null || of === undefined) return null;
  const array = arrayOf(of);
  const at = boundOf(index, array.length);
  if (at < 0 || at >= array.length) throw outside(String(index), array);
  return array[at]!;
}

/**
 * `of[from:to]`, `to` not included; null: from the beginning, to the end. In compat mode two equal bounds are an index.
 *
 * @throws RowError outside of the array
 */
export function sliceOf(of: Value, from: Value, to: Value, mode: Mode): Value {
  if (of === null || of === undefined) return null;
  const array = arrayOf(of);
  const start = from === null ? 0 : boundOf(from, array.length);
  const end = to === null ? array.length : boundOf(to, array.length);
  if (mode === "compat" && from !== null && to !== null && start === end) return elementOf(array, BigInt(start));
  if (start < 0 || end > array.length || start > end) throw outside(`${from ?? ""}:${to ?? ""}`, array);
  effort.parts(end - start);
  return array.slice(start, end);
}

function arrayOf(of: Value): readonly Value[] {
  if (Array.isArray(of)) return of as readonly Value[];
  throw new RowError(`Cannot index ${kindOf(of)} ${shown(of)}: it is no array`);
}

function boundOf(index: Value, length: number): number {
  const isWhole = typeof index === "bigint" || (typeof index === "number" && Number.isInteger(index));
  if (!isWhole) throw new RowError(`Cannot index with ${kindOf(index)} ${shown(index)}: it must be a whole number`);
  const at = Number(index);
  return at < 0 ? at + length : at;
}

function outside(index: string, array: readonly Value[]): RowError {
  return new RowError(`Cannot index an array of ${array.length} with [${index}]: outside of it`);
}
