import { AppError, type Cell, cellPlace, columnKind, fileRow, limits, type Sheet } from "@penstock/model";
import { strToU8, zipSync } from "fflate";

const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const packages = "http://schemas.openxmlformats.org/package/2006";
const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
/** places in `cellXfs` below */
const styles = { general: 0, text: 1, head: 2 } as const;

/**
 * Sheets as one XLSX file. Every cell says whether it is a number or text, and text has the format "Text": what is edited
 * in a spreadsheet stays what it was, and nothing is run as a formula.
 *
 * @throws AppError input/too-large naming the cell that is longer than spreadsheets hold
 * @source ECMA-376-1:2016 (5th edition), 18.3.1.4 (c), 18.8.30 (format 49, "@"), 12.3 (parts)
 */
export function xlsxBytes(sheets: readonly Sheet[]): Uint8Array {
  const files: Record<string, Uint8Array> = {};
  const put = (path: string, xml: string) => {
    files[path] = strToU8(head + xml);
  };
  const numbered = sheets.map((sheet, i) => ({ sheet, id: i + 1 }));
  put(
    "[Content_Types].xml",
    `<Types xmlns="${packages}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${contentType("workbook", "sheet.main")}${numbered.map(({ id }) => contentType(`worksheets/sheet${id}`, "worksheet")).join("")}${contentType("styles", "styles")}</Types>`,
  );
  put(
    "_rels/.rels",
    `<Relationships xmlns="${packages}/relationships"><Relationship Id="rId1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  );
  put(
    "xl/workbook.xml",
    `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets>${numbered.map(({ sheet, id }) => `<sheet name="${sheet.name}" sheetId="${id}" r:id="rId${id}"/>`).join("")}</sheets></workbook>`,
  );
  put(
    "xl/_rels/workbook.xml.rels",
    `<Relationships xmlns="${packages}/relationships">${numbered.map(({ id }) => `<Relationship Id="rId${id}" Type="${relations}/worksheet" Target="worksheets/sheet${id}.xml"/>`).join("")}<Relationship Id="rId${sheets.length + 1}" Type="${relations}/styles" Target="styles.xml"/></Relationships>`,
  );
  put("xl/styles.xml", stylesXml);
  for (const { sheet, id } of numbered) put(`xl/worksheets/sheet${id}.xml`, sheetXml(sheet));
  return zipSync(files, { level: 6 });
}

function contentType(part: string, type: string): string {
  return `<Override PartName="/xl/${part}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${type}+xml"/>`;
}

const stylesXml = `<styleSheet xmlns="${main}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" xfId="0"/><xf numFmtId="49" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs></styleSheet>`;

function sheetXml(sheet: Sheet): string {
  const letters = sheet.columns.map((_, i) => columnLetters(i));
  // A cell that is filled in later is text in a column of text: 007 stays 007.
  const columns = sheet.columns.map((column, i) => {
    const isText = ["text", "times", "object"].includes(columnKind(sheet.name, column) ?? "any");
    const width = Math.min(40, Math.max(10, column.length + 2));
    return `<col min="${i + 1}" max="${i + 1}" width="${width}" customWidth="1" style="${isText ? styles.text : styles.general}"/>`;
  });
  const parts = [
    `<worksheet xmlns="${main}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${columns.join("")}</cols><sheetData>`,
  ];
  const row = (cells: readonly Cell[], number: number, style: number) => {
    let xml = `<row r="${number}">`;
    for (const [i, cell] of cells.entries()) {
      if (cell === null) continue;
      const at = `${letters[i]}${number}`;
      if (typeof cell === "number") xml += `<c r="${at}"><v>${cell}</v></c>`;
      else
        xml += `<c r="${at}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${xmlText(textOf(cell, { sheet, number, i }))}</t></is></c>`;
    }
    parts.push(`${xml}</row>`);
  };
  row(sheet.columns, 1, styles.head);
  for (const [index, cells] of sheet.rows.entries()) row(cells, fileRow(index), styles.text);
  parts.push("</sheetData></worksheet>");
  return parts.join("");
}

function textOf(
  cell: string | boolean,
  at: { readonly sheet: Sheet; readonly number: number; readonly i: number },
): string {
  const text = String(cell);
  if (text.length <= limits.tableCellChars) return text;
  const place = cellPlace({ sheet: at.sheet.name, row: at.number, column: at.sheet.columns[at.i]! });
  throw new AppError(
    "input/too-large",
    `Cannot write ${place}: ${text.length} characters, spreadsheets hold ${limits.tableCellChars}`,
  );
}

function xmlText(text: string): string {
  return /[&<>]/.test(text) ? text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;") : text;
}

/** 0 → "A", 25 → "Z", 26 → "AA" */
function columnLetters(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : columnLetters(Math.floor(index / 26) - 1) + last;
}
