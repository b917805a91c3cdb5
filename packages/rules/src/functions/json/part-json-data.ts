import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";
import { isObject, kindOf, shown, type Value } from "../../value/value.ts";
import type { Param } from "../define-function.ts";
import { parseJsonPath } from "./part-json-path.ts";
import { type Found, runJsonPath } from "./part-json-path-run.ts";
import { readJson } from "./part-read-json.ts";

export const pathParams: readonly Param[] = [
  { name: "data", is: "any" },
  { name: "path", is: "text" },
];

/** @throws RowError with the place in the path */
export function checkPath([, path]: readonly (Value | undefined)[]): void {
  if (typeof path === "string") parseJsonPath(path);
}

/** What the path leads to in an array, a struct, or a text that is JSON. @throws RowError */
export function followPath(name: string, [data, path]: readonly Value[], mode: Mode): Found {
  const expr = parseJsonPath(path as string);
  const root = typeof data === "string" ? readJson(name, data, mode) : data!;
  if (typeof data === "string" || Array.isArray(root) || isObject(root)) return runJsonPath(expr, { root, mode });
  const found = data === null ? "null" : `${kindOf(root)} ${shown(root)}`;
  throw new RowError(`Cannot call ${name}: data must be array, struct or a text that is JSON, and is ${found}`);
}
