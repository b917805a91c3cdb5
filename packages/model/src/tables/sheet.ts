/** One cell as a file holds it. null: nothing stands there, which is another thing than the empty text. */
export type Cell = string | number | boolean | null;

/** One sheet of a table file. Row 1 of the file is `columns`, row 2 is `rows[0]`. */
export interface Sheet {
  readonly name: SheetName;
  readonly columns: readonly string[];
  /** a row may be shorter than `columns`; what is missing is null */
  readonly rows: readonly (readonly Cell[])[];
}
export const sheetNames = ["devices", "properties"] as const;
export type SheetName = (typeof sheetNames)[number];

/** Where something stands, as people find it in the file: "properties row 17, column visitor.offset". */
export function cellPlace(at: { readonly sheet: SheetName; readonly row: number; readonly column: string }): string {
  return `${at.sheet} row ${at.row}, column ${at.column}`;
}

/** The file's number of `rows[index]`. */
export function fileRow(index: number): number {
  return index + 2;
}
