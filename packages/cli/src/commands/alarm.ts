import { randomUUID } from "node:crypto";
import type { Client } from "@penstock/api";
import { type AlarmActKind, AppError } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { timeText } from "../time-cell.ts";

type Alarm = Awaited<ReturnType<Client["alarms"]["get"]>>;
type AlarmLine = Awaited<ReturnType<Client["alarms"]["history"]>>["items"][number];
interface ActFlags {
  readonly comment?: string;
  readonly for?: string;
  readonly wait: boolean;
  readonly output?: string;
}

export function alarmCommand(program: Command): void {
  const alarm = program
    .command("alarm")
    .description("acknowledge, shelve or look at one alarm; ids are in: get alarms");
  const act = (name: string, kind: AlarmActKind, description: string) => {
    const command = alarm
      .command(`${name} <id>`)
      .description(description)
      .option("--comment <text>", "kept in its history")
      .option("--no-wait", "return as soon as it is accepted; a gateway that is away answers when it is back")
      .option("-o, --output <format>", "json or yaml");
    if (kind === "shelve") command.option("--for <duration>", "8h; left out: until it has returned to normal once");
    command.action((id: string, flags: ActFlags, command: Command) => acted(kind, id, flags, command));
  };
  act("ack", "acknowledge", "say that it is seen");
  act("shelve", "shelve", "take it out of sight for a while; what it does to devices goes on");
  act("unshelve", "unshelve", "back into sight");
  act("comment", "comment", "write into its history");
  alarm
    .command("history <id>")
    .description("what happened to it, and what somebody did to its device meanwhile, oldest first")
    .option("-o, --output <format>", "json or yaml")
    .action(async (id: string, options: { output?: string }, command: Command) => {
      const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
      const full = await alarmNamed(client, context.tenant, id);
      const params = { tenant: context.tenant, id: full.id };
      const { items } = await client.alarms.history({ params, query: { limit: 1000 } });
      print(formatOf(options.output), items, () => alarmHistoryTable(items));
    });
}

async function acted(kind: AlarmActKind, id: string, flags: ActFlags, command: Command): Promise<void> {
  const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
  const alarm = await alarmNamed(client, context.tenant, id);
  const act = await client.alarms.act({
    params: { tenant: context.tenant, id: alarm.id },
    query: { wait: flags.wait ? "5s" : "0ms" },
    body: {
      kind,
      ...(flags.comment !== undefined && { comment: flags.comment }),
      ...(flags.for !== undefined && { for: flags.for }),
    },
    idempotencyKey: randomUUID(),
  });
  const waits = `${kind} waits for the gateway ${alarm.node ?? ""}`;
  print(formatOf(flags.output), act, () => (act.state === "done" ? `${kind} done` : waits));
}

/** Ids may be cut at the front, as the table shows them. @throws AppError resource/not-found */
export async function alarmNamed(client: Client, tenant: string, id: string): Promise<Alarm> {
  if (!/^[0-9a-f]{1,32}$/.test(id)) throw new AppError("resource/not-found", `Cannot find alarm "${id}"`);
  return client.alarms.get({ params: { tenant, id: id.padStart(32, "0") } });
}

/** Ids are numbers with zeros before them: people need not type those. */
export function shortId(id: string): string {
  return id.replace(/^0+(?=.)/, "");
}

export function alarmHistoryTable(items: readonly AlarmLine[]): string {
  const rows = items.map((one) => [
    ...[timeText(one.time), one.kind, one.state, one.severity, one.who ?? "-", one.comment ?? "-", one.message],
  ]);
  return tableText(["time", "what", "state", "severity", "who", "comment", "message"], rows);
}

export function alarmsTable(items: readonly Alarm[]): string {
  const rows = items.map((a) => [
    shortId(a.id),
    a.shelved === null ? a.state : `${a.state}, shelved`,
    a.severity,
    a.source === "rule" ? `${a.rule}/${a.alarm}` : a.code,
    a.device ?? a.node ?? "-",
    timeText(a.raisedAt),
    timeText(a.clearedAt),
    a.count === 1 ? "" : String(a.count),
    a.acknowledgedBy ?? (a.pending.length > 0 ? `(${a.pending.join(", ")} waits)` : "-"),
    a.message,
  ]);
  const heads = ["id", "state", "severity", "alarm", "of", "raised", "cleared", "count", "acknowledged", "message"];
  return tableText(heads, rows);
}
