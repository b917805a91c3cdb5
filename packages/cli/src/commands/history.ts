import type { Client, Contract, ResponseOf } from "@penstock/api";
import { invalid, stringifyExact } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { doing } from "../doing.ts";
import { kindOfWord, kindTable } from "../kind-names.ts";
import { formatOf, print, yamlText } from "../output.ts";
import { tableText } from "../print-table.ts";
import { timeText } from "../time-cell.ts";
import { numberOf } from "./undo.ts";

interface Options {
  readonly uid?: string;
  readonly output?: string;
}
type Routes = Contract["devices"]["routes"];
type At = { readonly tenant: string; readonly name: string };
/** What every kind of a tenant answers alike; the casts drop what differs between kinds. */
interface Versions {
  versions(input: { params: At; query: object }): Promise<ResponseOf<Routes["versions"]>>;
  version(input: { params: At & { version: string }; query: object }): Promise<ResponseOf<Routes["version"]>>;
  diff(input: { params: At; query: object }): Promise<ResponseOf<Routes["diff"]>>;
  get(input: { params: At }): Promise<{ metadata: { resourceVersion: string } }>;
  restore(input: {
    params: At & { version: string };
    query: object;
    ifMatch: string;
  }): Promise<ResponseOf<Routes["restore"]>>;
  deleted(input: { params: { tenant: string }; query: object }): Promise<ResponseOf<Routes["deleted"]>>;
}

/** What resources were, and how they become that again. */
export function historyCommand(program: Command): void {
  const open = (command: Command, word: string) => {
    const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
    return { kind: kindTable[kindOfWord(word)].kind, verbs: versionsOf(client, word), tenant: context.tenant };
  };
  const ofDeleted = "of a deleted one, as penstock deleted shows it, when another has its name now";

  program
    .command("history <kind> <name> [version]")
    .description("every stored version of a resource, the newest first; or one version as it was")
    .option("--uid <uid>", ofDeleted)
    .option("-o, --output <format>", "json or yaml")
    .action(async (word: string, name: string, version: string | undefined, options: Options, command: Command) => {
      const { verbs, tenant } = open(command, word);
      const query = uidOf(options);
      if (version !== undefined) {
        const params = { tenant, name, version: numberOf("VERSION", version) };
        const found = await verbs.version({ params, query });
        print(formatOf(options.output), found, () => yamlText(found).trimEnd());
        return;
      }
      const { items } = await verbs.versions({ params: { tenant, name }, query: { ...query, limit: 1000 } });
      const rows = items.map((one) => [
        String(one.version),
        timeText(one.at),
        one.actor,
        one.action,
        String(one.generation),
        one.change === null ? "-" : String(one.change),
      ]);
      print(formatOf(options.output), items, () =>
        tableText(["version", "at", "by", "action", "generation", "change"], rows),
      );
    });

  program
    .command("diff <kind> <name> [from] [to]")
    .description("what differs between two versions, field by field; the last two unless given")
    .option("--uid <uid>", ofDeleted)
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (
        word: string,
        name: string,
        from: string | undefined,
        to: string | undefined,
        options: Options,
        command: Command,
      ) => {
        const { verbs, tenant } = open(command, word);
        const query = {
          ...uidOf(options),
          ...(from !== undefined && { from: numberOf("FROM", from) }),
          ...(to !== undefined && { to: numberOf("TO", to) }),
        };
        const found = await verbs.diff({ params: { tenant, name }, query });
        print(formatOf(options.output), found, () => {
          const rows = found.changes.map(({ field, before, after }) => [field, cell(before), cell(after)]);
          const heads = ["field", `version ${found.from}`, `version ${found.to}`];
          return rows.length === 0 ? `Versions ${found.from} and ${found.to} are equal` : tableText(heads, rows);
        });
      },
    );

  program
    .command("restore-version <kind> <name> <version>")
    .description("make a resource again what it was, as a new version; a deleted one comes back with its readings")
    .option("--uid <uid>", ofDeleted)
    .option("--dry-run", "check it, and change nothing")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (word: string, name: string, text: string, options: Options & { dryRun?: boolean }, command: Command) => {
        const { kind, verbs, tenant } = open(command, word);
        const version = numberOf("VERSION", text);
        const restored = await doing(`restore ${kind} "${name}"`, () =>
          verbs.restore({
            params: { tenant, name, version },
            query: { ...uidOf(options), dryRun: options.dryRun === true },
            ifMatch: "*",
          }),
        );
        const done = options.dryRun === true ? "would be" : "is";
        print(
          formatOf(options.output),
          restored,
          () => `${kind} "${name}" ${done} again what it was at version ${text}`,
        );
      },
    );

  program
    .command("deleted <kind>")
    .description("deleted resources that can be brought back, the last deleted first")
    .option("-o, --output <format>", "json or yaml")
    .action(async (word: string, options: Options, command: Command) => {
      const { verbs, tenant } = open(command, word);
      const { items } = await verbs.deleted({ params: { tenant }, query: { limit: 1000 } });
      const rows = items.map((one) => [one.name, timeText(one.deletedAt), one.actor, String(one.version), one.uid]);
      print(formatOf(options.output), items, () =>
        rows.length === 0 ? `No deleted ${word}` : tableText(["name", "deleted", "by", "version", "uid"], rows),
      );
    });
}

function versionsOf(client: Client, word: string): Versions {
  const name = kindOfWord(word);
  if (!kindTable[name].platform) return client[name] as unknown as Versions;
  throw invalid([{ field: "KIND", value: word, rule: "keeps no history; devices, models, connections and nodes do" }]);
}

function uidOf({ uid }: Options): { uid?: string } {
  return uid === undefined ? {} : { uid };
}

function cell(value: unknown): string {
  if (value === null) return "-";
  return typeof value === "string" ? value : stringifyExact(value);
}
