import { RowError } from "../value/row-error.ts";
import { type ObjectValue, shown } from "../value/value.ts";

/** A row of a lookup table, as JSON.parse gives it, or with values of its own: integers, moments, bytes. */
export type LookupRow = ObjectValue;

/** What a query asks of a lookup table: rows whose columns have these values. */
export interface Wanted {
  readonly table: string;
  readonly keys: ObjectValue;
  /** equal texts: the same question */
  readonly key: string;
}

/** What has come of a question: rows, none of them too, or why nobody knows. It is an input of the rule like any row. */
export type Answer = Pick<Wanted, "table" | "key"> &
  ({ readonly rows: readonly LookupRow[] } | { readonly failure: string });

/** Rows, or why there is no answer. */
export type Found = readonly LookupRow[] | { readonly failure: string };

/** @returns null where the answer is not known yet */
export type Find = (wanted: Wanted) => Found | null;

/** Rows are joined with answers that are not there yet: nothing is not the same as not knowing. */
export class NotKnownYet extends RowError {
  constructor({ table, keys }: Wanted) {
    super(`Cannot look up ${shown(keys)} in "${table}": the answer is not there yet`);
  }
}
