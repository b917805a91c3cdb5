import { readFile } from "node:fs/promises";
import { type BodyOf, type Contract, trialRows } from "@penstock/api";
import { AppError, invalid, type RuleNodeStatus, type RuleSpec } from "@penstock/model";
import type { Command } from "commander";
import { parse } from "yaml";
import { type ContextFlags, connect } from "../context.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { readDocuments } from "./apply.ts";

type Body = BodyOf<Contract["ruleTrials"]["routes"]["run"]>;

export function ruleCommand(program: Command): void {
  const rule = program.command("rule").description("try rules, and learn why one is silent");
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
          const sum = `${trial.rowsIn} rows in, ${given} results, as at gateway "${trial.node}"${more}`;
          return lines.length === 0 ? sum : `${tableText(heads, lines)}\n${sum}`;
        });
      },
    );
  rule
    .command("why <name>")
    .description("why a rule is silent, at each of its gateways")
    .option("-o, --output <format>", "json or yaml")
    .action(async (name: string, options: { output?: string }, command: Command) => {
      const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
      const { tenant } = context;
      const found = await client.rules.get({ params: { tenant, name } });
      const { items } = await client.nodes.list({ params: { tenant }, query: { limit: 1000 } });
      const connected = new Set(items.filter((node) => node.status.connected).map((node) => node.metadata.name));
      const reasons = found.status.nodes.map((one) => ({
        node: one.node,
        why: whyAt(one, { isConnected: connected.has(one.node), generation: found.metadata.generation }),
      }));
      print(formatOf(options.output), reasons, () =>
        reasons.length === 0
          ? `Rule "${name}" is for no gateway that there is: ${JSON.stringify(found.spec.nodes)}`
          : tableText(
              ["node", "why"],
              reasons.map(({ node, why }) => [node, why]),
            ),
      );
    });
}

/** What of a rule keeps it from acting, in one sentence. */
export function whyAt(
  status: RuleNodeStatus,
  at: { readonly isConnected: boolean; readonly generation: number },
): string {
  const { state, reason, message, rowsIn, rowsOut, errors, lastError } = status;
  const away = at.isConnected ? "" : "; its gateway is not connected, so this is what it said last";
  switch (state) {
    case "unknown":
      return at.isConnected
        ? "its gateway has not told of it yet"
        : "its gateway is not connected, and has not told of it";
    case "waiting":
      return `its gateway has generation ${status.generation}, not ${at.generation} yet${away}`;
    case "stopped":
      return `it is stopped: spec.state${away}`;
    case "refused":
    case "failed":
      return `it is ${state} there: ${message} (${reason})${away}`;
    case "running":
      break;
  }
  if (rowsIn === 0) return `it runs, and no row has come: what it reads tells nothing${away}`;
  if (rowsOut === 0 && errors === 0) {
    return `it runs, and none of ${rowsIn} rows gave a result: WHERE leaves them out, or no window has closed yet; penstock rule test --steps shows which${away}`;
  }
  if (errors > 0) return `it runs, and ${errors} times a row or an action failed, last: ${lastError}${away}`;
  return `it is not silent: ${rowsOut} results of ${rowsIn} rows${away}`;
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
