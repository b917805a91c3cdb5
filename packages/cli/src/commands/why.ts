import type { Client } from "@penstock/api";
import { invalid } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { kindOfWord } from "../kind-names.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { timeText } from "../time-cell.ts";

type Device = Awaited<ReturnType<Client["devices"]["get"]>>;
type Gateway = Awaited<ReturnType<Client["nodes"]["get"]>>;

/** Why something is silent, stale or away, in one sentence each. */
export function whyCommand(program: Command): void {
  program
    .command("why <kind> <name>")
    .description("why a rule is silent at each of its gateways, a device tells nothing, or a gateway is away")
    .option("-o, --output <format>", "json or yaml")
    .action(async (word: string, name: string, options: { output?: string }, command: Command) => {
      const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
      const params = { tenant: context.tenant, name };
      const format = formatOf(options.output);
      switch (kindOfWord(word)) {
        case "rules": {
          const found = await client.ruleWhys.get({ params });
          print(format, found, () => {
            if (!found.assigned) return `Rule "${name}": ${found.why}`;
            const rows = found.nodes.map(({ node, cause, why }) => [node, cause, why]);
            return tableText(["node", "cause", "why"], rows);
          });
          return;
        }
        case "devices": {
          const why = whyDevice(await client.devices.get({ params }));
          print(format, { name, why }, () => `Device "${name}": ${why}`);
          return;
        }
        case "nodes": {
          const why = whyGateway(await client.nodes.get({ params }));
          print(format, { name, why }, () => `Gateway "${name}": ${why}`);
          return;
        }
        default:
          throw invalid([{ field: "KIND", value: word, rule: "must be rule, device or node" }]);
      }
    });
}

/** What keeps a device from telling values. */
export function whyDevice({ status }: Pick<Device, "status">): string {
  const { state, reason, message, since, lastReadingAt, findings, cycles } = status;
  const from = since === null ? "" : ` since ${timeText(since)}`;
  const last = lastReadingAt === null ? "no reading has come yet" : `its last reading is of ${timeText(lastReadingAt)}`;
  const said: string[] = [];
  if (state !== "online") {
    const cause = message ?? reason ?? "its gateway has not told of it yet";
    said.push(`it is ${state}${from}: ${cause}${reason === null || message === null ? "" : ` (${reason})`}`);
  }
  for (const { field, rule } of findings) said.push(`${field} ${rule}`);
  for (const { cadence, measuredMs } of cycles.filter(({ isOverrun }) => isOverrun)) {
    said.push(
      `it cannot be read ${cadence}: ${measuredMs === null ? "that cycle does not run" : `it takes ${Math.round(measuredMs)} ms`}`,
    );
  }
  if (said.length === 0) said.push(`it is online${from}`);
  return `${said.join("; ")}; ${last}`;
}

/** What keeps a gateway from being heard of. */
export function whyGateway({ status }: Pick<Gateway, "status">): string {
  const { connected, joined, lastSeenAt, outbox } = status;
  if (!joined) return "no machine has joined under its name: penstock edge token makes a token for one";
  if (!connected) {
    if (lastSeenAt === null) return "it has joined, and has never connected";
    return `it is not connected since ${timeText(lastSeenAt)}: its link is down, or it is off`;
  }
  const waits = outbox === null || outbox.readings === 0 ? "" : `; ${outbox.readings} readings wait in it`;
  return `it is connected${waits}${outbox?.full === true ? "; its outbox is full" : ""}`;
}
