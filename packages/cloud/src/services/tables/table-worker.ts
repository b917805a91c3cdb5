/** A worker thread that reads and writes table files: megabytes of text, and files that mean harm, stay off the main thread. */
import { AppError, type ErrorCode, type FieldError, type Sheet } from "@penstock/model";
import { serveWorker, transferring } from "@penstock/runtime";
import { csvText, parseCsv } from "./csv.ts";
import { parseXlsx } from "./xlsx-read.ts";
import { xlsxBytes } from "./xlsx-write.ts";

/** What came: one XLSX file, or the text of one or two CSV files. */
export type TableInput =
  | { readonly format: "xlsx"; readonly file: Uint8Array }
  | { readonly format: "csv"; readonly devices?: string | undefined; readonly properties?: string | undefined };
/** An error with its fields, which a worker's own errors do not carry. */
export interface TableRefusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: readonly FieldError[];
}
export interface TableMethods {
  readonly [name: string]: (input: never) => unknown;
  readonly read: (input: TableInput) => { readonly sheets: readonly Sheet[] } | { readonly refusal: TableRefusal };
  readonly write: (input: {
    readonly format: "csv" | "xlsx";
    readonly sheets: readonly Sheet[];
  }) => { readonly bytes: Uint8Array } | { readonly refusal: TableRefusal };
}

function refusing<T>(work: () => T): T | { readonly refusal: TableRefusal } {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, fields } = error;
    return { refusal: { code, message, fields } };
  }
}

serveWorker<null>({
  open: () =>
    ({
      read: (input: TableInput) =>
        refusing(() => {
          if (input.format === "xlsx") return { sheets: parseXlsx(input.file) };
          const { devices, properties } = input;
          const sheets: Sheet[] = [];
          if (devices !== undefined) sheets.push(parseCsv("devices", devices));
          if (properties !== undefined) sheets.push(parseCsv("properties", properties));
          return { sheets };
        }),
      write: ({ format, sheets }: { readonly format: "csv" | "xlsx"; readonly sheets: readonly Sheet[] }) =>
        refusing(() => {
          const bytes = format === "xlsx" ? xlsxBytes(sheets) : new TextEncoder().encode(sheets.map(csvText).join(""));
          return transferring({ bytes }, [bytes.buffer as ArrayBuffer]);
        }),
    }) satisfies TableMethods,
  close() {},
});
