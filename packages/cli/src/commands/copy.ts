import type { Contract, ResponseOf } from "@penstock/api";
import { invalid, parseExact, stringifyExact } from "@penstock/model";
import type { Command } from "commander";
import { confirmed } from "../confirmed.ts";
import { type ContextFlags, connect } from "../context.ts";
import { doing } from "../doing.ts";
import { linesText, lineWarnings } from "../lines-table.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";

type Copied = ResponseOf<Contract["copies"]["routes"]["create"]>;

/** Columns of the preview; a device of many stepped properties has the first ones and a count. */
const columnsMost = 6;

export function copyCommand(program: Command): void {
  program
    .command("copy <device> <pattern...>")
    .description("copy a device to every name of a pattern such as 'temp-{02..10}', stepping fields on; all or none")
    .option(
      "-s, --step <path=step>",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: people write them so
      "a number added from copy to copy, a list such as [3,5,8], or text with ${n}, ${name}, ${value}; may be repeated",
      (text: string, all: string[]) => [...all, text],
      [],
    )
    .option("--dry-run", "show what would come of it, and store nothing")
    .option("-y, --yes", "do not ask")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (
        device: string,
        pattern: string[],
        options: { step: string[]; dryRun?: boolean; yes?: boolean; output?: string },
        command: Command,
      ) => {
        const format = formatOf(options.output);
        const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
        const request = { pattern: pattern.length === 1 ? pattern[0]! : pattern, steps: stepsOf(options.step) };
        const run = (dryRun: boolean) =>
          doing(`copy Device "${device}"`, () =>
            client.copies.create({
              params: { tenant: context.tenant, device },
              body: { ...request, dryRun },
            }),
          );
        const planned = await run(true);
        if (options.dryRun === true) {
          print(
            format,
            planned,
            () =>
              `${previewText(planned)}\n${countText(planned)} would be made; nothing is stored${linesBelow(planned)}`,
          );
          return;
        }
        // What a program reads is the answer alone.
        if (options.yes === true) for (const warning of lineWarnings(planned.lines)) console.error(warning);
        else {
          console.error(`${previewText(planned)}${linesBelow(planned)}`);
          await confirmed(`Make ${countText(planned)}?`);
        }
        const made = await run(false);
        print(format, made, () => {
          const table = options.yes === true ? `${previewText(made)}\n` : "";
          return `${table}${countText(made)} made as change ${made.change}; penstock undo ${made.change} takes them back`;
        });
      },
    );
}

/** "visitor.offset=2": the value as JSON where it is JSON, else as text */
function stepsOf(texts: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at <= 0)
        throw invalid([{ field: "--step", value: text, rule: "must be path=step, such as visitor.offset=2" }]);
      return [text.slice(0, at), stepOf(text.slice(at + 1))];
    }),
  );
}
function stepOf(text: string): unknown {
  if (!/^-?\d|^\[/.test(text)) return text;
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}

function linesBelow({ lines }: Copied): string {
  return lines.length === 0 ? "" : `\n\n${linesText(lines)}`;
}

function countText({ rows }: Copied): string {
  return rows.length === 1 ? "1 device" : `${rows.length} devices`;
}

/** One line for each copy, one column for each field that differs. */
function previewText({ rows }: Copied): string {
  const fields = [...new Set(rows.flatMap((row) => row.fields.map(({ field }) => field)))];
  const shown = fields.slice(0, columnsMost);
  const more = fields.length > shown.length ? [`and ${fields.length - shown.length} more fields`] : [];
  const cells = rows.map(({ row, name, fields: stepped }) => [
    String(row),
    name,
    ...shown.map((field) => {
      const found = stepped.find((one) => one.field === field);
      return found === undefined ? "-" : `${text(found.from)} → ${text(found.to)}`;
    }),
    ...more.map(() => ""),
  ]);
  return tableText(["row", "name", ...shown, ...more], cells);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : stringifyExact(value);
}
