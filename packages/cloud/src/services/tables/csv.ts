import { AppError, type Cell, type FieldError, limits, type Sheet, type SheetName } from "@penstock/model";
import { CsvError, parse } from "csv-parse/sync";

/** Spreadsheets take a field that begins so for a formula, or drop its first character. */
const formulaLike = /^[=+\-@\t\r]/;
const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * A sheet as text. A cell that a spreadsheet could run as a formula is put in JSON quotes, which `cellToValue` takes off.
 *
 * @source RFC 4180, 2; a byte order mark in front, without which Excel does not take the text for UTF-8
 */
export function csvText({ columns, rows }: Sheet): string {
  const line = (cells: readonly Cell[]) => `${cells.map(csvField).join(",")}\r\n`;
  return `\ufeff${line(columns)}${rows.map(line).join("")}`;
}

function csvField(cell: Cell): string {
  if (cell === null) return "";
  const text = String(cell);
  const safe = typeof cell === "string" && formulaLike.test(text) && !number.test(text) ? JSON.stringify(text) : text;
  return /[",;\r\n\t]|^ | $/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * The sheet in a CSV text; separated by commas, semicolons or tabs, whichever its first line has most of.
 *
 * @throws AppError input/invalid with the row, input/too-large
 */
export function parseCsv(name: SheetName, text: string): Sheet {
  if (Buffer.byteLength(text) > limits.tableBytes) {
    throw new AppError("input/too-large", `Cannot read ${name}: more than ${limits.tableBytes} bytes`);
  }
  let records: string[][];
  try {
    records = parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      relax_column_count: true,
      max_record_size: limits.tableBytes,
      record_delimiter: ["\r\n", "\n", "\r"],
      // One more than may be, so that too many are seen.
      to: limits.tableRows + 2,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const field: FieldError = {
      field: `${name} row ${Number((error as { records?: number }).records ?? 0) + 1}`,
      value: error.code,
      rule: "must be CSV",
    };
    throw new AppError("input/invalid", `Cannot read ${name}: ${error.message}`, { cause: error, fields: [field] });
  }
  const [columns = [], ...rows] = records;
  // A file that ends with a line break has no empty row after it.
  while (rows.at(-1)?.every((field) => field === "")) rows.pop();
  return {
    name,
    columns: columns.map((one) => one.trim()),
    rows: rows.map((row) => row.map((field) => (field === "" ? null : field))),
  };
}

function delimiterOf(text: string): string {
  const first = /^[^\r\n]*/.exec(text)?.[0] ?? "";
  const count = (delimiter: string) => first.split(delimiter).length;
  return [",", ";", "\t"].reduce((best, one) => (count(one) > count(best) ? one : best));
}
