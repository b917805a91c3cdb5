import type { Client } from "@penstock/api";
import { type DeviceStatus, formatDuration, type LineLoad, parseDuration, type RuleNodeStatus } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { type AnyResource, type KindName, kindOfWord, paramsOf, verbsOf } from "../kind-names.ts";
import { amountText, percentText } from "../lines-table.ts";
import { mappersNamed, mappersTable } from "../mapper-text.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { timeText } from "../time-cell.ts";
import { alarmNamed, alarmsTable } from "./alarm.ts";

interface Column {
  readonly head: string;
  readonly cell: (resource: AnyResource) => string;
}
/** status fields differ by kind; a time of theirs is RFC 3339 or null */
const time = (value: unknown) => timeText(value as string | null | undefined);
const text = (value: unknown) => (value === null || value === undefined ? "-" : String(value));

/** "62 % / 58 %" */
function loadText({ predictedPercent, measuredPercent }: LineLoad): string {
  return `${percentText(predictedPercent)} / ${percentText(measuredPercent)}`;
}
/** questions that are predicted, and rounds that were counted: a round may take several questions */
function requestsText({ predictedRequestsPerSecond: predicted, requestsPerSecond: measured }: LineLoad): string {
  return [predicted, measured].map((one) => (one === null ? "-" : amountText(one))).join(" / ");
}
/** "every 1s, measured 1400ms, 12 skipped": the cycle that is furthest behind its cadence */
function slowestText(cycles: DeviceStatus["cycles"]): string {
  const behind = ({ cadence, measuredMs, isOverrun }: DeviceStatus["cycles"][number]) => {
    const everyMs = parseDuration(cadence.replace(/^every /, ""));
    return (isOverrun ? 1e6 : 0) + (everyMs === null || measuredMs === null ? 0 : measuredMs / everyMs);
  };
  const [slowest] = [...cycles].sort((a, b) => behind(b) - behind(a));
  if (slowest === undefined) return "-";
  const { cadence, measuredMs, overruns } = slowest;
  const taken = measuredMs === null ? "" : `, measured ${formatDuration(Math.round(measuredMs))}`;
  return `${cadence}${taken}${overruns === 0 ? "" : `, ${overruns} skipped`}`;
}

const nodesOf = (rule: AnyResource) => rule.status.nodes as readonly RuleNodeStatus[];
/** "gw-01, gw-02" or "line=filling" */
function nodesText(nodes: unknown): string {
  if (Array.isArray(nodes)) return nodes.join(", ");
  const { labels } = nodes as { readonly labels: Readonly<Record<string, string>> };
  const text = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return text.join(",") || "(all)";
}
/** "running", or "2 running, 1 refused" */
function statesText(nodes: readonly RuleNodeStatus[]): string {
  const counts = [...Map.groupBy(nodes, ({ state }) => state)].map(([state, of]) => [of.length, state] as const);
  if (counts.length === 1) return counts[0]![1];
  return counts.map(([count, state]) => `${count} ${state}`).join(", ") || "-";
}
function sumText(counts: readonly number[]): string {
  return String(counts.reduce((sum, one) => sum + one, 0));
}
/** of the first gateway at which something is wrong */
function messageText(nodes: readonly RuleNodeStatus[]): string {
  const ill = nodes.find(({ message, lastError }) => message !== null || lastError !== null);
  return ill === undefined ? "-" : `${ill.node}: ${ill.message ?? ill.lastError}`;
}

const name: Column = { head: "name", cell: (r) => r.metadata.name };
const columns: Readonly<Record<KindName, readonly Column[]>> = {
  tenants: [name, { head: "retention", cell: (r) => text(r.spec.retention) }],
  users: [name, { head: "role", cell: (r) => text(r.spec.role) }],
  nodes: [
    name,
    {
      head: "state",
      cell: (r) => (r.status.connected === true ? "connected" : r.status.joined === true ? "away" : "not joined"),
    },
    { head: "last seen", cell: (r) => time(r.status.lastSeenAt) },
    { head: "agent", cell: (r) => text(r.status.agentVersion) },
  ],
  connections: [
    name,
    { head: "node", cell: (r) => text(r.spec.node) },
    { head: "protocol", cell: (r) => text(r.spec.protocol) },
    { head: "state", cell: (r) => text(r.status.state) },
    { head: "load predicted / measured", cell: (r) => loadText(r.status.load as LineLoad) },
    { head: "requests/s", cell: (r) => requestsText(r.status.load as LineLoad) },
  ],
  deviceModels: [
    name,
    { head: "properties", cell: (r) => String(Object.keys((r.spec.properties as object) ?? {}).length) },
  ],
  devices: [
    name,
    { head: "node", cell: (r) => text(r.spec.node) },
    { head: "connection", cell: (r) => (typeof r.spec.connection === "string" ? r.spec.connection : "(inline)") },
    { head: "state", cell: (r) => text(r.status.state) },
    { head: "reason", cell: (r) => text(r.status.reason) },
    { head: "slowest cycle", cell: (r) => slowestText(r.status.cycles as DeviceStatus["cycles"]) },
    { head: "last reading", cell: (r) => time(r.status.lastReadingAt) },
  ],
  rules: [
    name,
    { head: "nodes", cell: (r) => nodesText(r.spec.nodes) },
    { head: "state", cell: (r) => statesText(nodesOf(r)) },
    { head: "rows in", cell: (r) => sumText(nodesOf(r).map(({ rowsIn }) => rowsIn)) },
    { head: "rows out", cell: (r) => sumText(nodesOf(r).map(({ rowsOut }) => rowsOut)) },
    { head: "errors", cell: (r) => sumText(nodesOf(r).map(({ errors }) => errors)) },
    { head: "message", cell: (r) => messageText(nodesOf(r)) },
  ],
};

export function getCommand(program: Command): void {
  program
    .command("get <kind> [name]")
    .description(
      "list resources, or show one: nodes, devices, rules, connections, devicemodels, tenants, users, alarms, jointokens, mappers",
    )
    .option("-l, --labels <selector>", "only those with these labels: line=filling,cell!=3")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (
        word: string,
        resource: string | undefined,
        options: { labels?: string; output?: string },
        command: Command,
      ) => {
        const format = formatOf(options.output);
        const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
        if (/^alarms?$/i.test(word)) {
          if (resource !== undefined) {
            const one = await alarmNamed(client, context.tenant, resource);
            print(format, one, () => alarmsTable([one]));
            return;
          }
          const { items } = await client.alarms.list({ params: { tenant: context.tenant }, query: {} });
          print(format, items, () => (items.length === 0 ? "No alarms" : alarmsTable(items)));
          return;
        }
        if (/^jointokens?$/i.test(word)) {
          const { items } = await client.joinTokens.list({ params: { tenant: context.tenant } });
          const rows = items.map((t) => [t.id, t.node, time(t.expiresAt), time(t.usedAt), time(t.revokedAt)]);
          const heads = ["id", "node", "expires", "used", "revoked"];
          print(format, items, () => (rows.length === 0 ? "No join tokens" : tableText(heads, rows)));
          return;
        }
        if (/^mappers?$/i.test(word)) {
          const mappers = await mappersNamed(client, context.tenant, resource);
          print(format, mappers, () => (mappers.length === 0 ? "No mappers" : mappersTable(mappers)));
          return;
        }
        const kind = kindOfWord(word);
        if (resource !== undefined) {
          const found = await verbsOf(client, kind).get({ params: paramsOf(kind, context.tenant, resource) });
          print(format, found, () => listText(kind, [found]));
          return;
        }
        const items = await listAll({
          client,
          kind,
          tenant: context.tenant,
          ...(options.labels !== undefined && { labels: options.labels }),
        });
        print(format, items, () => (items.length === 0 ? `No ${word}` : listText(kind, items)));
      },
    );
}

export async function listAll(options: {
  readonly client: Client;
  readonly kind: KindName;
  readonly tenant: string;
  readonly labels?: string;
}): Promise<AnyResource[]> {
  const all: AnyResource[] = [];
  let cursor: string | null = null;
  do {
    const query: Record<string, unknown> = {
      limit: 1000,
      ...(options.labels !== undefined && { labels: options.labels }),
      ...(cursor !== null && { cursor }),
    };
    const page: { items: AnyResource[]; cursor: string | null } = await verbsOf(options.client, options.kind).list({
      params: paramsOf(options.kind, options.tenant),
      query,
    });
    all.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return all;
}

function listText(kind: KindName, items: readonly AnyResource[]): string {
  const shown = columns[kind];
  return tableText(
    shown.map((column) => column.head),
    items.map((item) => shown.map((column) => column.cell(item))),
  );
}
