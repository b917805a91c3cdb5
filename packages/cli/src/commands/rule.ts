import { readFile } from "node:fs/promises";
import { type BodyOf, type Contract, trialRows } from "@penstock/api";
import { AppError, invalid, type RuleSpec } from "@penstock/model";
import type { Command } from "commander";
import { parse } from "yaml";
import { type ContextFlags, connect } from "../context.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { readDocuments } from "./apply.ts";

type Body = BodyOf<Contract["ruleTrials"]["routes"]["run"]>;

export function ruleCommand(program: Command): void {
  const rule = program.command("rule").description("try rules");
  rule
    .command("test [name]")
    .description(
      "run a rule on typed-in rows, or on stored readings of its devices; nothing is stored, no gateway hears of it",
    )
    .option("-f, --file <file>", "a Rule document instead of the name of one that is stored (- for standard input)")
    .option(
      "--rows <file>",
      `rows as a YAML or JSON list, at most ${trialRows}: [{level: 1.5}] or [{stream, time, values}]`,
    )
    .option("--from <time>", "of stored readings: RFC 3339 or a duration before now", "-1h")
    .option("--to <time>", "RFC 3339 or now", "now")
    .option("--steps", "each row, whether WHERE let it pass, and when the next open window closes")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (
        name: string | undefined,
        options: { file?: string; rows?: string; from: string; to: string; steps?: boolean; output?: string },
        command: Command,
      ) => {
        const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
        const { tenant } = context;
        const stored = async (of: string) => (await client.rules.get({ params: { tenant, name: of } })).spec;
        const spec = options.file === undefined ? await stored(nameOf(name)) : await specIn(options.file);
        const { from, to, rows } = options;
        const input = rows === undefined ? { recorded: { from, to } } : { rows: await rowsIn(rows) };
        const trial = await client.ruleTrials.run({
          params: { tenant },
          body: { spec: spec as Body["spec"], ...input },
        });
        print(formatOf(options.output), trial, () => {
          const shown = trial.steps.filter(
            (step) => options.steps === true || step.outputs.length + step.errors.length > 0,
          );
          const lines = shown.map((step) => [
            step.time,
            step.stream ?? "(time)",
            ...(options.steps === true
              ? [step.row === null ? "-" : JSON.stringify(step.row), passedText(step.passed)]
              : []),
            [...step.outputs.flatMap((one) => one.rows.map((row) => JSON.stringify(row))), ...step.errors].join(" ") ||
              "-",
            ...(options.steps === true ? [step.closesAt ?? "-"] : []),
          ]);
          const heads =
            options.steps === true
              ? ["time", "stream", "row", "passed", "gives", "window closes"]
              : ["time", "stream", "gives"];
          const given = trial.steps.reduce((sum, step) => sum + step.outputs.length, 0);
          const more = trial.truncated ? `; only the first ${trialRows} rows were taken` : "";
          const rowsIn = `${trial.rowsIn} ${trial.rowsIn === 1 ? "row" : "rows"} in`;
          const sum = `${rowsIn}, ${given} ${given === 1 ? "result" : "results"}, as at gateway "${trial.node}"${more}`;
          return lines.length === 0 ? sum : `${tableText(heads, lines)}\n${sum}`;
        });
      },
    );
}

function passedText(passed: boolean | null): string {
  return passed === null ? "-" : passed ? "yes" : "no";
}

function nameOf(name: string | undefined): string {
  if (name !== undefined) return name;
  throw invalid([{ field: "name", value: "missing", rule: "state the name of a rule, or -f with a file" }]);
}

async function specIn(file: string): Promise<RuleSpec> {
  const [document] = await readDocuments(file);
  if (document?.kind === "Rule") return document.spec as RuleSpec;
  throw invalid([{ field: "kind", value: String(document?.kind), rule: "must be Rule" }]);
}

async function rowsIn(file: string): Promise<NonNullable<Body["rows"]>> {
  const text = await readFile(file, "utf8").catch((cause: Error) => {
    throw new AppError("input/invalid", `Cannot read "${file}": ${cause.message}`, { cause });
  });
  const rows: unknown = parse(text);
  if (!Array.isArray(rows)) throw invalid([{ field: "--rows", value: file, rule: "must be a list of rows" }]);
  return rows.map((row: object) =>
    "values" in row ? (row as { values: Record<string, unknown> }) : { values: row as Record<string, unknown> },
  );
}
