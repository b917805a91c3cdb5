import { RowError } from "../../value/row-error.ts";
import { kindOf, shown, type Value } from "../../value/value.ts";
import type { CallContext } from "../define-function.ts";

export const castTypes = ["bigint", "float", "string", "boolean", "datetime", "bytea"] as const;
export type CastType = (typeof castTypes)[number];

/** @param value not null @returns null where it cannot be one @throws RowError where there is more to say */
export type Cast = (value: Value, context: Pick<CallContext, "mode" | "timeZone">) => Value;

export function cannotCast(value: Value, type: CastType, why?: string): RowError {
  return new RowError(`Cannot cast ${kindOf(value)} ${shown(value)} to ${type}${why === undefined ? "" : `: ${why}`}`);
}
