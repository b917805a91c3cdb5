import { writeFile } from "node:fs/promises";
import { invalid } from "@penstock/model";
import type { Command } from "commander";
import { stringify } from "yaml";
import { type ContextFlags, connect } from "../context.ts";
import { doing } from "../doing.ts";
import { findingsText } from "../findings-table.ts";
import { withProgress } from "../with-progress.ts";

interface Options {
  readonly output?: string;
  readonly what?: string;
  readonly labels?: string;
  readonly to?: string;
  readonly kubeedge?: boolean;
  readonly node?: string;
}
type Connected = ReturnType<typeof connect>;

export function exportCommand(program: Command): void {
  program
    .command("export <what> [name]")
    .description(
      "devices as a table (export devices), one as a document of KubeEdge (export device NAME --kubeedge), or what a gateway publishes over MQTT (export asyncapi --node NODE)",
    )
    .option(
      "-o, --output <format>",
      "xlsx or csv, by the file's name unless stated; yaml or json of asyncapi, yaml unless stated",
    )
    .option("--what <sheet>", "devices or properties, as CSV; both, in two files, unless stated")
    .option("-l, --labels <selector>", "only those with these labels: line=filling,cell!=3")
    .option("--to <file>", "write there instead of standard output")
    .option("--kubeedge", "a device and its model as v1beta1; what has no place there is named on standard error")
    .option("--node <node>", "the gateway, with asyncapi")
    .action(async (what: string, name: string | undefined, options: Options, command: Command) => {
      const connected = connect(command.optsWithGlobals() as ContextFlags);
      if (what === "asyncapi") return exportAsyncApi(connected, options);
      if (options.kubeedge === true) return exportKubeEdge(connected, { what, name, to: options.to });
      if (!/^devices?$/.test(what) || name !== undefined) {
        throw invalid([
          {
            field: "WHAT",
            value: [what, name].join(" ").trim(),
            rule: "must be devices, device NAME --kubeedge, or asyncapi",
          },
        ]);
      }
      await exportTables(connected, options);
    });
}

async function exportTables({ client, context }: Connected, options: Options): Promise<void> {
  const { to, labels } = options;
  const format = formatOf(options.output ?? (to?.toLowerCase().endsWith(".csv") === true ? "csv" : "xlsx"));
  const sheet = sheetOf(options.what);
  const get = (what?: "devices" | "properties") =>
    withProgress("Exporting devices", () =>
      client.tables.exportDevices({
        params: { tenant: context.tenant },
        query: { format, ...(what !== undefined && { what }), ...(labels !== undefined && { labels }) },
      }),
    );
  if (format === "csv" && sheet === undefined) {
    if (to === undefined)
      throw invalid([
        { field: "--what", value: "(missing)", rule: "must be devices or properties, or give --to for two files" },
      ]);
    for (const what of ["devices", "properties"] as const)
      await write(await get(what), to.replace(/(\.csv)?$/i, `.${what}.csv`));
    return;
  }
  await write(await get(sheet), to);
}

function formatOf(text: string): "csv" | "xlsx" {
  if (text === "csv" || text === "xlsx") return text;
  throw invalid([{ field: "-o", value: text, rule: "must be xlsx or csv" }]);
}
function sheetOf(text: string | undefined): "devices" | "properties" | undefined {
  if (text === undefined || text === "devices" || text === "properties") return text;
  throw invalid([{ field: "--what", value: text, rule: "must be devices or properties" }]);
}

async function write(bytes: Uint8Array, to: string | undefined): Promise<void> {
  if (to !== undefined) {
    await doing(`write "${to}"`, () => writeFile(to, bytes));
    console.error(`Written to ${to}`);
    return;
  }
  if (process.stdout.isTTY) {
    throw invalid([{ field: "--to", value: "(missing)", rule: "must name a file: a terminal is none" }]);
  }
  process.stdout.write(bytes);
}

async function exportKubeEdge(
  { client, context }: Connected,
  options: { readonly what: string; readonly name: string | undefined; readonly to: string | undefined },
): Promise<void> {
  const { what, name, to } = options;
  if (what !== "device" || name === undefined) {
    throw invalid([{ field: "WHAT", value: what, rule: "must be device NAME with --kubeedge" }]);
  }
  const { documents, findings } = await client.kubeedge.exportDevice({
    params: { tenant: context.tenant, device: name },
  });
  const text = documents.map((document) => stringify(document)).join("---\n");
  if (to === undefined) process.stdout.write(text);
  else await doing(`write "${to}"`, () => writeFile(to, text));
  if (findings.length > 0) console.error(findingsText(findings));
}

async function exportAsyncApi({ client, context }: Connected, { node, output, to }: Options): Promise<void> {
  if (node === undefined) throw invalid([{ field: "--node", value: "(missing)", rule: "must name the gateway" }]);
  const format = output ?? (to?.toLowerCase().endsWith(".json") === true ? "json" : "yaml");
  if (format !== "json" && format !== "yaml") {
    throw invalid([{ field: "-o", value: format, rule: "must be yaml or json" }]);
  }
  const document = await client.asyncapi.node({ params: { tenant: context.tenant, node } });
  const text = format === "json" ? `${JSON.stringify(document, null, 2)}\n` : stringify(document);
  if (to === undefined) process.stdout.write(text);
  else await doing(`write "${to}"`, () => writeFile(to, text));
}
