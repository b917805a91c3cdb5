import {
  AppError,
  type Cell,
  cellPlace,
  type FieldError,
  limits,
  type Sheet,
  type SheetName,
  sheetNames,
} from "@penstock/model";
import { strFromU8, unzipSync } from "fflate";
import { attributes, startTags, stringItem, xmlUnescape, xstring } from "./xml-text.ts";

/**
 * The sheets "devices" and "properties" of an XLSX file as Excel, LibreOffice and we write it; others are left alone. A
 * formula counts by its last result.
 *
 * @throws AppError input/invalid, input/too-large
 * @source ECMA-376-1:2016 (5th edition), 18.3.1.4 (c), 18.18.11 (cell types), 18.8 (styles)
 */
export function parseXlsx(bytes: Uint8Array): Sheet[] {
  const parts = unpacked(bytes);
  const part = (path: string) => {
    const xml = parts[path];
    if (xml === undefined) return "";
    const text = strFromU8(xml);
    // No spreadsheet writes either, and both could hide text from a reader that goes by tags.
    if (/<!DOCTYPE|<!\[CDATA\[/.test(text)) throw noXlsx(`"${path}" has a DOCTYPE or CDATA`);
    return text;
  };
  const strings = [
    ...part("xl/sharedStrings.xml").matchAll(/<(?:\w+:)?si(?:\s[^>]*)?(?:\/>|>(.*?)<\/(?:\w+:)?si>)/gs),
  ].map(([, item]) => stringItem(item ?? ""));
  const dates = dateStyles(part("xl/styles.xml"));
  const targets = new Map(
    startTags(part("xl/_rels/workbook.xml.rels"), "Relationship").map((one) => [one.Id, one.Target ?? ""]),
  );
  const names = startTags(part("xl/workbook.xml"), "sheet");
  const sheets: Sheet[] = [];
  for (const { name = "", id } of names) {
    const known = sheetNames.find((one) => one === name.trim().toLowerCase());
    if (known === undefined) continue;
    const target = targets.get(id) ?? "";
    const path = target.startsWith("/") ? target.slice(1) : `xl/${target}`;
    sheets.push(sheetOf(known, part(path), { strings, dates }));
  }
  if (sheets.length > 0) return sheets;
  const found = names.map(({ name }) => `"${name}"`).join(", ") || "none";
  throw noXlsx(`it must have a sheet called ${sheetNames.join(" or ")}, but has ${found}`);
}

function noXlsx(why: string, cause?: unknown): AppError {
  const fields: FieldError[] = [{ field: "file", value: "(bytes)", rule: `must be an XLSX file: ${why}` }];
  return new AppError("input/invalid", `Cannot read the file: ${why}`, {
    fields,
    ...(cause !== undefined && { cause }),
  });
}

/** The parts that are read. What the archive says of its sizes is held against the limit before anything is unpacked. */
function unpacked(bytes: Uint8Array): Record<string, Uint8Array> {
  let total = 0;
  try {
    return unzipSync(bytes, {
      filter({ name, originalSize }) {
        if (!/^xl\/(?:workbook|styles|sharedStrings|_rels\/workbook\.xml|worksheets\/[^/]+)\.(?:xml|rels)$/.test(name))
          return false;
        total += originalSize;
        // A part that is larger than it says is cut at what it says: the buffer is made beforehand.
        if (total > limits.tableInflatedBytes) {
          throw new AppError(
            "input/too-large",
            `Cannot read the file: unpacked it is larger than ${limits.tableInflatedBytes} bytes`,
          );
        }
        return true;
      },
    });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw noXlsx("it is no ZIP archive, or a broken one", error);
  }
}

/** Styles, by their place, that show a number as a date or time. @source 18.8.30: built-in formats */
function dateStyles(xml: string): ReadonlySet<string> {
  const custom = new Map(startTags(xml, "numFmt").map((one) => [one.numFmtId, one.formatCode ?? ""]));
  const isDate = (id: string) => {
    const code = custom.get(id);
    // Colours in brackets and text in quotes have letters too.
    if (code !== undefined) return /[ymdhs]/i.test(code.replaceAll(/\[(?![hms]+\])[^\]]*\]|"[^"]*"|\\./gi, ""));
    const number = Number(id);
    return (
      (number >= 14 && number <= 22) ||
      (number >= 27 && number <= 36) ||
      (number >= 45 && number <= 47) ||
      (number >= 50 && number <= 58)
    );
  };
  const formats = startTags(/<(?:\w+:)?cellXfs.*?<\/(?:\w+:)?cellXfs>/s.exec(xml)?.[0] ?? "", "xf");
  return new Set(formats.flatMap(({ numFmtId = "0" }, i) => (isDate(numFmtId) ? [String(i)] : [])));
}

const rowOrCell = /<(?:\w+:)?(row|c)((?:\s[^<>]*?)?)(\/?)>/g;

function sheetOf(
  name: SheetName,
  xml: string,
  book: { readonly strings: readonly string[]; readonly dates: ReadonlySet<string> },
): Sheet {
  const rows: Cell[][] = [];
  const errors: FieldError[] = [];
  let row: Cell[] = [];
  const refuse = (number: number, column: number, value: string, rule: string) => {
    const heading = rows[0]?.[column] ?? columnNumber(column);
    if (errors.length < limits.tableErrors)
      errors.push({ field: cellPlace({ sheet: name, row: number, column: String(heading) }), value, rule });
  };
  for (const { 1: tag, 2: inner = "", 3: isEmpty, index, 0: whole } of xml.matchAll(rowOrCell)) {
    const given = attributes(inner);
    if (tag === "row") {
      const number = Number(given.r ?? rows.length + 1);
      if (!(number > rows.length && number <= limits.tableRows + 1)) throw tooMany(name, `${limits.tableRows} rows`);
      // Empty rows may be left out of the file; they count all the same.
      while (rows.length < number) rows.push([]);
      row = rows.at(-1)!;
      continue;
    }
    const column = given.r === undefined ? row.length : columnOf(given.r);
    if (column >= limits.tableColumns) throw tooMany(name, `${limits.tableColumns} columns`);
    if (isEmpty === "/") continue;
    const start = index + whole.length;
    const end = xml.indexOf(whole.startsWith("<c") ? "</c>" : `</${/^<(\w+:)/.exec(whole)?.[1]}c>`, start);
    const content = xml.slice(start, end < 0 ? start : end);
    const cell = cellOf(content, given.t, book.strings);
    if (given.t === "e") refuse(rows.length, column, String(cell), "is an error of the spreadsheet");
    else if (given.t === "d" || (typeof cell === "number" && book.dates.has(given.s ?? ""))) {
      refuse(
        rows.length,
        column,
        String(cell),
        "is a date or time to the spreadsheet; make the cell's format Text and write it again",
      );
    } else if (typeof cell === "string" && cell.length > limits.tableCellChars) {
      refuse(rows.length, column, `${cell.length} characters`, `must be at most ${limits.tableCellChars}`);
    }
    while (row.length < column) row.push(null);
    row[column] = cell;
  }
  if (errors.length > 0) throw new AppError("input/invalid", `Cannot read sheet "${name}"`, { fields: errors });
  const [columns = [], ...rest] = rows;
  // Spreadsheets keep formatted cells behind the last column that has a name.
  while (columns.length > 0 && (columns.at(-1) ?? null) === null) columns.pop();
  while (rest.at(-1)?.every((cell) => cell === null)) rest.pop();
  return { name, columns: columns.map((one) => String(one ?? "").trim()), rows: rest };
}

function cellOf(content: string, type: string | undefined, strings: readonly string[]): Cell {
  if (type === "inlineStr") return stringItem(content);
  const value = /<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<\/(?:\w+:)?v>/.exec(content)?.[1];
  if (value === undefined) return null;
  switch (type) {
    case "s":
      return strings[Number(value)] ?? null;
    case "str":
      return xstring(xmlUnescape(value));
    case "b":
      return value === "1";
    case "e":
    case "d":
      return xmlUnescape(value);
    default:
      return Number(value);
  }
}

function tooMany(sheet: string, what: string): AppError {
  return new AppError("input/too-large", `Cannot read sheet "${sheet}": more than ${what}, or rows out of order`);
}

/** "AB12" → 27 */
function columnOf(reference: string): number {
  let column = 0;
  for (const letter of /^[A-Z]{1,3}/.exec(reference)?.[0] ?? "") column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}
function columnNumber(column: number): string {
  return `number ${column + 1}`;
}
