import type { ObjectValue } from "@penstock/rules";
import { filled } from "../template.ts";

/** @returns null when the row has a column that is not among these. @source RFC 4180, 2 */
export function csvLine(columns: readonly string[], row: ObjectValue): string | null {
  if (Object.keys(row).some((name) => !columns.includes(name))) return null;
  return columns.map((name) => cell(filled(`\${${name}}`, row))).join(",");
}

const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The names in the first line of a CSV text; null: it has no whole line. */
export function headOf(text: string): readonly string[] | null {
  const names: string[] = [];
  let name = "";
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const one = text[at]!;
    if (isQuoted && one === '"' && text[at + 1] === '"') {
      name += text[++at];
    } else if (one === '"') isQuoted = !isQuoted;
    else if (isQuoted || (one !== "," && one !== "\n")) name += one;
    else {
      names.push(name);
      name = "";
      if (one === "\n") return names;
    }
  }
  return null;
}
