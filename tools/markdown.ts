/** A table; `|` and line breaks in cells would end the cell, so they are written otherwise. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)];
}

/** A generated page: its title, where it comes from, and the rest. */
export function generatedPage(title: string, source: string, lines: readonly string[]): string {
  return [`# ${title}`, "", `Generated from ${source} by \`npm run generate\`.`, "", ...lines, ""].join("\n");
}
