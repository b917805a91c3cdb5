import { RowError } from "../value/row-error.ts";
import { type ObjectValue, shown } from "../value/value.ts";

/** A row of a lookup table, as JSON.parse gives it. */
export type LookupRow = { readonly [name: string]: unknown };

/** What a query asks of a lookup table: rows whose columns have these values. */
export interface Wanted {
  readonly table: string;
  readonly keys: ObjectValue;
}

/**
 * Answers what lookup tables are asked. The engine never waits, so whoever feeds it asks `QueryRunner.wants` before a row,
 * fetches what is not known yet, and then pushes the row. What is still not known when the row is joined is an error of that
 * row, never a row without a partner: nothing is not the same as not knowing.
 */
export interface Lookup {
  /** @returns null where the answer is not known yet */
  find(wanted: Wanted): readonly LookupRow[] | null;
}

/** A row, or a window, needed an answer that was not there. */
export class NotKnownYet extends RowError {
  readonly wanted: Wanted;

  constructor(wanted: Wanted) {
    super(`Cannot look up ${shown(wanted.keys)} in "${wanted.table}": the answer is not there yet`);
    this.wanted = wanted;
  }
}
