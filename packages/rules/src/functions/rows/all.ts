import type { RowsFunction } from "../define-rows.ts";
import { extract } from "./extract.ts";
import { unnest } from "./unnest.ts";

/** Functions that make several rows of one, by name. */
export const rowsFunctions: ReadonlyMap<string, RowsFunction> = new Map(
  [extract, unnest].map((one) => [one.name, one]),
);
