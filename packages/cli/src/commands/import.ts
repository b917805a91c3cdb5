import { open } from "node:fs/promises";
import { AppError, invalid, limits, stringifyExact } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { doing } from "../doing.ts";
import { linesText } from "../lines-table.ts";
import { type Format, formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { withProgress } from "../with-progress.ts";
import { importKubeEdge } from "./import-kubeedge.ts";

interface Options {
  readonly dryRun?: boolean;
  readonly replace?: boolean;
  readonly removeAbsent?: boolean;
  readonly node?: string;
  readonly output?: string;
}
type Connected = ReturnType<typeof connect>;
/** Fields that one dry run prints; -o json has them all. */
const rowsMost = 200;

export function importCommand(program: Command): void {
  program
    .command("import <files...>")
    .description("devices from tables (XLSX, CSV) or from KubeEdge's Device and DeviceModel documents (YAML)")
    .option("--dry-run", "check everything, say what would change, and store nothing")
    .option("--replace", "properties of a named device that no row names go")
    .option("--remove-absent", "devices that no row names go")
    .option("--node <name>", "the gateway of all devices of KubeEdge documents, whatever they say")
    .option("-o, --output <format>", "json or yaml")
    .action(async (files: string[], options: Options, command: Command) => {
      const connected = connect(command.optsWithGlobals() as ContextFlags);
      const format = formatOf(options.output);
      const tables = files.filter((file) => /\.(xlsx|csv)$/i.test(file));
      if (tables.length === 0) return importKubeEdge(connected, { ...options, files, format });
      if (tables.length < files.length) {
        const other = files.find((file) => !tables.includes(file))!;
        throw invalid([{ field: "FILES", value: other, rule: "tables and documents are imported one kind at a time" }]);
      }
      await importTables(connected, { ...options, files, format });
    });
}

async function importTables(
  { client, context }: Connected,
  options: Options & { readonly files: readonly string[]; readonly format: Format },
): Promise<void> {
  const { files, dryRun = false, replace = false, removeAbsent = false } = options;
  const body = await tableBody(files);
  const done = await doing(`import ${files.map((file) => `"${file}"`).join(" and ")}`, () =>
    withProgress("Importing devices", () =>
      client.tables.importDevices({
        params: { tenant: context.tenant },
        query: { mode: replace ? "replace" : "merge", removeAbsent, dryRun },
        body,
      }),
    ),
  );
  print(options.format, done, () => {
    const counts = `${done.created} created, ${done.updated} changed, ${done.deleted} deleted, ${done.unchanged} unchanged`;
    if (!dryRun) {
      return done.change === null
        ? counts
        : `${counts} by change ${done.change}; penstock undo ${done.change} takes them back`;
    }
    const rows = done.devices.flatMap(({ device, action, fields }) =>
      fields.map(({ field, before, after }) => [device, action, field, text(before), text(after)]),
    );
    const shown =
      rows.length === 0
        ? ""
        : `${tableText(["device", "action", "field", "is", "would be"], rows.slice(0, rowsMost))}\n`;
    const all = done.devices.reduce((sum, one) => sum + one.changed, 0);
    const more = all > rowsMost ? `and ${all - rowsMost} more fields\n` : "";
    const lines = done.lines.length === 0 ? "" : `\n\n${linesText(done.lines)}`;
    return `${shown}${more}Would be: ${counts}; nothing is stored${lines}`;
  });
}

function text(value: unknown): string {
  if (value === null) return "-";
  return typeof value === "string" ? value : stringifyExact(value);
}

/** One XLSX file, or one or two CSV files, each known by its first line. */
async function tableBody(files: readonly string[]) {
  const [first = ""] = files;
  if (/\.xlsx$/i.test(first)) {
    if (files.length > 1) throw invalid([{ field: "FILES", value: files[1]!, rule: "one XLSX file at a time" }]);
    return { format: "xlsx" as const, file: (await readTable(first)).toString("base64") };
  }
  const sheets: { devices?: string; properties?: string } = {};
  for (const file of files) {
    if (!/\.csv$/i.test(file))
      throw invalid([{ field: "FILES", value: file, rule: "XLSX and CSV are imported one kind at a time" }]);
    const csv = (await readTable(file)).toString("utf8");
    const heads = /^\ufeff?([^\r\n]*)/
      .exec(csv)![1]!
      .split(/[,;\t]/)
      .map((one) => one.replaceAll('"', "").trim());
    const sheet = heads.includes("property") ? "properties" : "devices";
    if (sheets[sheet] !== undefined)
      throw invalid([{ field: "FILES", value: file, rule: `is a second table of ${sheet}` }]);
    sheets[sheet] = csv;
  }
  return { format: "csv" as const, ...sheets };
}

async function readTable(file: string): Promise<Buffer> {
  const opened = await doing(`read "${file}"`, () => open(file)).catch((cause: unknown) => {
    throw new AppError("input/invalid", `Cannot read "${file}": ${(cause as Error).message}`, { cause });
  });
  try {
    const { size } = await opened.stat();
    if (size > limits.tableBytes) {
      throw new AppError("input/too-large", `Cannot import "${file}": ${size} bytes, limit ${limits.tableBytes}`);
    }
    return await opened.readFile();
  } finally {
    await opened.close();
  }
}
