import { invalid } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { timeText } from "../time-cell.ts";

export function undoCommand(program: Command): void {
  program
    .command("undo <change>")
    .description("take a change back as a whole: a copy, an import or one edit; refused when any of it changed since")
    .option("--dry-run", "check it, and change nothing")
    .option("-o, --output <format>", "json or yaml")
    .action(async (text: string, options: { dryRun?: boolean; output?: string }, command: Command) => {
      const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
      const params = { tenant: context.tenant, change: numberOf("CHANGE", text) };
      const dryRun = options.dryRun === true;
      const undone = await client.changes.undo({ params, query: { dryRun } });
      print(formatOf(options.output), undone, () => {
        const rows = undone.results.map(({ kind, name, action }) => [kind, name, `${action}d`]);
        const head = dryRun
          ? `Change ${text} can be undone; nothing is changed`
          : `Change ${text} is undone by change ${undone.change}`;
        return `${tableText(["kind", "name", dryRun ? "would be" : "is"], rows)}\n${head}`;
      });
    });

  program
    .command("changes [change]")
    .description("what was changed in the tenant, the newest first; or the resources that one change touched")
    .option("-n, --limit <count>", "how many", "20")
    .option("-o, --output <format>", "json or yaml")
    .action(async (text: string | undefined, options: { limit: string; output?: string }, command: Command) => {
      const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
      const { tenant } = context;
      const format = formatOf(options.output);
      if (text !== undefined) {
        const found = await client.changes.get({ params: { tenant, change: numberOf("CHANGE", text) } });
        const rows = found.changed.map(({ kind, name, action, version }) => [kind, name, action, String(version)]);
        print(format, found, () => tableText(["kind", "name", "action", "version"], rows));
        return;
      }
      const limit = Number(numberOf("--limit", options.limit));
      const { items } = await client.changes.list({ params: { tenant }, query: { limit } });
      const rows = items.map((one) => [
        String(one.change),
        timeText(one.at),
        one.actor,
        one.reason,
        String(one.resources),
        one.undoneBy === null ? (one.note ?? "") : `${one.note ?? ""} (undone by ${one.undoneBy})`.trim(),
      ]);
      const heads = ["change", "at", "by", "reason", "resources", "what"];
      print(format, items, () => (rows.length === 0 ? "No changes" : tableText(heads, rows)));
    });
}

/** A number that people type, as the path wants it. @throws AppError input/invalid */
export function numberOf(field: string, text: string): string {
  if (/^[1-9]\d{0,14}$/.test(text)) return text;
  throw invalid([{ field, value: text, rule: "must be a whole number from 1" }]);
}
