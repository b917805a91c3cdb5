/** Whole records of a CSV text, and how many of its characters they take. @source RFC 4180, 2 */
export function csvRecords(text: string): { readonly records: readonly (readonly string[])[]; readonly used: number } {
  const records: string[][] = [];
  let record: string[] = [];
  let cell = "";
  let used = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const one = text[at]!;
    if (isQuoted && one === '"' && text[at + 1] === '"') cell += text[++at];
    else if (one === '"') isQuoted = !isQuoted;
    else if (isQuoted || (one !== "," && one !== "\n")) cell += one;
    else {
      record.push(one === "\n" ? cell.replace(/\r$/, "") : cell);
      cell = "";
      if (one === ",") continue;
      used = at + 1;
      if (record.length > 1 || record[0] !== "") records.push(record);
      record = [];
    }
  }
  return { records, used };
}
