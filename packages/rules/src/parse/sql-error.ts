import { AppError } from "@penstock/model";

/** Where something stands in a query: offsets of UTF-16 units, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * What is wrong with a query, with its place, and what to write instead where that is known.
 *
 * @returns AppError rules/bad-sql: "Cannot read the query at line 1, column 8: … near "FORM""
 */
export function sqlError(sql: string, at: Span, what: string, hint?: string): AppError {
  const { line, column } = placeOf(sql, at.start);
  const near = sql.slice(at.start, Math.min(at.end, at.start + 40));
  const where = near === "" ? "at its end" : `near "${near}"`;
  const text = `Cannot read the query at line ${line}, column ${column}, ${where}: ${what}`;
  return new AppError("rules/bad-sql", hint === undefined ? text : `${text}; ${hint}`);
}

/** Line and column, both from 1, as editors count them. */
export function placeOf(sql: string, offset: number): { readonly line: number; readonly column: number } {
  const before = sql.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - (before.lastIndexOf("\n") + 1) + 1 };
}
