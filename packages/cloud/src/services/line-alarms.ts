import type { NodeIdentity, NodeNudger, NodeReport, NodeUid, TenantUid } from "@penstock/model";
import type { Alarms } from "./alarms.ts";
import { chunksOf } from "./chunks-of.ts";
import type { ServiceContext } from "./context.ts";
import type { LineLoads, LoadedLine } from "./line-loads.ts";
import type { Names } from "./names.ts";

/** Changes come in bursts, such as an import: their lines are looked at once. */
const settleMs = 1000;
/** Percent, over a minute, from which a line is full, and below which it is so no longer. */
const fullFrom = 97;
const fullUntil = 90;

/**
 * Lines that devices ask too much of. `services/line-overloaded` follows from what is stored, within seconds of each change;
 * it says beforehand what cycles will run into. `collect/line-full` follows from what the gateway measures: its line is
 * hardly ever silent although every cycle is still kept, so the next device, write or retry will be too much. Where cycles
 * are not kept, `collect/overrun` has said so of each.
 */
export function createLineAlarms(
  context: Pick<ServiceContext, "db" | "clock" | "log">,
  parts: { readonly alarms: Alarms; readonly loads: LineLoads; readonly names: Names },
) {
  const { db, clock, log } = context;
  const { alarms, loads, names } = parts;
  const touched = new Set<NodeUid>();
  let cancel: (() => void) | null = null;
  let last: Promise<void> = Promise.resolve();
  let isClosed = false;
  /** by node: what is said of its lines that are asked too much, by the uid of the Connection */
  const over = new Map<NodeUid, ReadonlyMap<string, string>>();
  /** by node: its lines that are full */
  const full = new Map<NodeUid, ReadonlySet<string>>();

  function next(run: () => Promise<void>): void {
    last = last.then(run).catch((error: unknown) => {
      log.error({ error: String(error) }, "The load of lines could not be worked out");
    });
  }
  /** A model may touch a thousand gateways at once: the lines of a tenant's are looked up together. */
  async function lookAt(nodes: readonly NodeUid[]): Promise<void> {
    const rows: { readonly uid: string; readonly tenant_uid: string; readonly name: string }[] = [];
    for (const chunk of chunksOf(nodes)) {
      const live = db.selectFrom("resources").where("kind", "=", "Node").where("deleted_at", "is", null);
      rows.push(...(await live.select(["uid", "tenant_uid", "name"]).where("uid", "in", chunk).execute()));
    }
    const present = new Set(rows.map(({ uid }) => uid));
    for (const node of nodes) if (!present.has(node)) over.delete(node);
    for (const [tenant, of] of Map.groupBy(rows, (row) => row.tenant_uid)) {
      const lines = await loads.ofNodes(tenant, new Set(of.map(({ name }) => name)));
      const byNode = Map.groupBy(lines, ({ node }) => node);
      for (const { uid, name } of of) {
        tell({ tenant: tenant as TenantUid, node: uid as NodeUid }, byNode.get(name) ?? []);
      }
    }
  }
  function tell(identity: NodeIdentity, lines: readonly LoadedLine[]): void {
    const { node } = identity;
    const now = new Map(lines.flatMap((line) => (isOver(line) ? [[line.uid, overText(line)]] : [])));
    const before = over.get(node);
    over.set(node, now);
    for (const [key, message] of now) {
      if (before?.get(key) !== message) alarms.raise(identity, { code: "services/line-overloaded", key, message });
    }
    if (before === undefined || [...before.keys()].some((key) => !now.has(key))) {
      alarms.clearOthers(identity, "services/line-overloaded", [...now.keys()]);
    }
  }
  async function measured(identity: NodeIdentity, report: NodeReport, before: ReadonlySet<string> | undefined) {
    const from = (connection: string) => (before?.has(connection) === true ? fullUntil : fullFrom);
    const hot = report.lines.filter((line) => line.state === "up" && line.loadPercent >= from(line.connection));
    const skipping = report.cycles.filter(({ isOverrun }) => isOverrun).map(({ device }) => device);
    const told = hot.length === 0 ? new Set() : await loads.linesOfDevices(identity.tenant, skipping);
    const now = hot.filter((line) => !told.has(line.connection));
    full.set(identity.node, new Set(now.map(({ connection }) => connection)));
    const news = now.filter(({ connection }) => before?.has(connection) !== true);
    const lines = news.length === 0 ? [] : await linesOf(identity);
    for (const { connection, loadPercent } of news) {
      const line = lines.find(({ uid }) => uid === connection);
      const name = line === undefined ? `line ${connection}` : nameOf(line);
      const message = `The ${name} was busy ${Math.round(loadPercent)} % of a minute: another device, write or retry is too much for it`;
      alarms.raise(identity, { code: "collect/line-full", key: connection, message });
    }
    if (before !== undefined && [...before].every((one) => now.some(({ connection }) => connection === one))) return;
    alarms.clearOthers(
      identity,
      "collect/line-full",
      now.map(({ connection }) => connection),
    );
  }
  async function linesOf({ tenant, node }: NodeIdentity): Promise<LoadedLine[]> {
    const name = await names.of(node);
    return name === null ? [] : loads.ofNodes(tenant, new Set([name]));
  }
  function changed(node: NodeUid): void {
    touched.add(node);
    if (isClosed) return;
    cancel ??= clock.after(settleMs, () => {
      cancel = null;
      const nodes = [...touched];
      touched.clear();
      next(() => lookAt(nodes));
    });
  }

  return {
    /** Every change of what a node shall do passes here on its way to the node. */
    watching: (nudger: NodeNudger): NodeNudger => ({
      desiredChanged: (node) => nudger.desiredChanged(node),
      callsChanged: (node) => nudger.callsChanged(node),
      alarmActsChanged: (node) => nudger.alarmActsChanged(node),
      browse: (...question) => nudger.browse(...question),
      disconnect: (node, code) => nudger.disconnect(node, code),
      isConnected: (node) => nudger.isConnected(node),
      assignedChanged(node) {
        nudger.assignedChanged(node);
        changed(node);
      },
    }),
    take(identity: NodeIdentity, report: NodeReport): void {
      const before = full.get(identity.node);
      const isQuiet = before?.size === 0 && report.lines.every(({ loadPercent }) => loadPercent < fullFrom);
      if (!isQuiet) next(() => measured(identity, report, full.get(identity.node)));
    },
    /** the node is away: what it says next is compared with what is stored */
    forget({ node }: NodeIdentity): void {
      full.delete(node);
    },
    /** resolves when all that was taken has been handed on */
    async settled(): Promise<void> {
      await last;
    },
    async close(): Promise<void> {
      isClosed = true;
      cancel?.();
      await last;
    },
  };
}
export type LineAlarms = ReturnType<typeof createLineAlarms>;

function isOver({ figures }: LoadedLine): boolean {
  return figures !== null && figures.percent > 100;
}
function overText(line: LoadedLine): string {
  const takers = line.most.slice(0, 3).map((one) => `"${one.device}" ${one.cadence} ${Math.round(one.percent)} %`);
  const percent = Math.round(line.figures!.percent);
  return `Devices ask for ${percent} % of the time of the ${nameOf(line)}, so cycles are skipped; the most: ${takers.join(", ")}`;
}
function nameOf({ connection, device }: LoadedLine): string {
  return connection === null ? `line of "${device}"` : `line "${connection}"`;
}
