import { RowError } from "../value/row-error.ts";
import { kindOf, shown, type Value } from "../value/value.ts";
import type { Param, ParamKind, ScalarFunction } from "./define-function.ts";

/** @returns why so many arguments are wrong, or null */
export function countProblem({ name, params }: Pick<ScalarFunction, "name" | "params">, count: number): string | null {
  const least = params.reduce((sum, { isOptional, repeats }) => sum + (repeats?.least ?? (isOptional ? 0 : 1)), 0);
  const most = params.some(({ repeats }) => repeats !== undefined) ? Number.POSITIVE_INFINITY : params.length;
  if (count >= least && count <= most) return null;
  const wanted =
    least === most ? `${least}` : most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
  return `${name} takes ${wanted} argument${wanted === "1" ? "" : "s"} and has ${count}`;
}

export function paramAt(params: readonly Param[], at: number): Param {
  return params[Math.min(at, params.length - 1)]!;
}

const fits: Readonly<Record<ParamKind, (value: Value) => boolean>> = {
  any: () => true,
  number: (value) => typeof value === "number" || typeof value === "bigint",
  integer: (value) => typeof value === "bigint" || isWhole(value),
  text: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  array: (value) => Array.isArray(value),
  struct: (value) => kindOf(value) === "struct",
  datetime: (value) => kindOf(value) === "datetime",
  bytes: (value) => value instanceof Uint8Array,
};

/** A float that is an integer of 64 bits. */
function isWhole(value: Value): boolean {
  return Number.isInteger(value) && (value as number) >= -(2 ** 63) && (value as number) < 2 ** 63;
}

/** The argument as the function takes it. @throws RowError naming function, argument and what it is */
export function checkArgument(name: string, param: Param, value: Value): Value {
  if (value === null || value === undefined) return null;
  const kinds = typeof param.is === "string" ? [param.is] : param.is;
  const kind = kinds.find((one) => fits[one](value));
  if (kind === undefined) {
    throw new RowError(
      `Cannot call ${name}: ${param.name} must be ${kinds.join(" or ")}, and is ${kindOf(value)} ${shown(value)}`,
    );
  }
  return kind === "integer" && typeof value === "number" ? BigInt(value) : value;
}
