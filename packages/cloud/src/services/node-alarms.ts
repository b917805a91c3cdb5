import { type CycleHealth, cadenceText, type ErrorCode, type NodeIdentity, type NodeReport } from "@penstock/model";
import type { Alarms } from "./alarms.ts";
import type { Names } from "./names.ts";

interface Condition {
  readonly code: ErrorCode;
  readonly key: string;
  message(): Promise<string>;
}

/** Codes whose alarms follow from a node's reports alone. */
const codes = ["outbox/full", "outbox/disk-full", "collect/overrun"] as const satisfies readonly ErrorCode[];

/**
 * Alarms that follow from what nodes report. Only the edges: what stays as it is does not count up with every report. The
 * first report after a start also clears what an earlier process raised and what is over since.
 */
export function createNodeAlarms(parts: { readonly alarms: Alarms; readonly names: Names }) {
  const { alarms, names } = parts;
  let last: Promise<void> = Promise.resolve();
  /** by node: what is raised, as `code key` */
  const raised = new Map<string, ReadonlySet<string>>();

  return {
    take(identity: NodeIdentity, report: NodeReport): void {
      const now = conditionsOf(report, (device) => names.of(device));
      const keys = new Set(now.map(({ code, key }) => `${code} ${key}`));
      const before = raised.get(identity.node);
      raised.set(identity.node, keys);
      const news = now.filter(({ code, key }) => before?.has(`${code} ${key}`) !== true);
      const isOver = before === undefined ? true : [...before].some((one) => !keys.has(one));
      if (news.length === 0 && !isOver) return;
      last = last.then(async () => {
        for (const { code, key, message } of news) alarms.raise(identity, { code, key, message: await message() });
        if (!isOver) return;
        for (const code of codes) {
          alarms.clearOthers(
            identity,
            code,
            now.filter((one) => one.code === code).map(({ key }) => key),
          );
        }
      });
    },
    /** the node is away: what it says next is compared with what is stored */
    forget(identity: NodeIdentity): void {
      raised.delete(identity.node);
    },
    /** resolves when all that was taken has been handed on */
    close: () => last,
  };
}
export type NodeAlarms = ReturnType<typeof createNodeAlarms>;

function conditionsOf(report: NodeReport, nameOf: (device: string) => Promise<string | null>): Condition[] {
  const { full, diskFull = false, readings, dropped, refused } = report.outbox;
  const found: Condition[] = [];
  if (full && !diskFull) {
    const message = `Outbox is full: ${readings} readings wait, ${dropped} were dropped`;
    found.push({ code: "outbox/full", key: "outbox", message: async () => message });
  }
  if (diskFull) {
    const message = `The gateway's disk is full: ${refused} readings were refused since its agent started`;
    found.push({ code: "outbox/disk-full", key: "outbox", message: async () => message });
  }
  for (const cycle of report.cycles) {
    if (!cycle.isOverrun) continue;
    const { device, cadence } = cycle;
    found.push({
      code: "collect/overrun",
      key: `${device}/${cadenceText(cadence)}`,
      message: async () => overrunText((await nameOf(device)) ?? device, cycle),
    });
  }
  return found;
}

function overrunText(device: string, { cadence, measuredMs, overruns }: CycleHealth): string {
  const measured = measuredMs === null ? "does not run" : `takes ${Math.round(measuredMs)} ms`;
  return `"${device}" is to be read ${cadenceText(cadence)} and ${measured}; ${overruns} cycles were skipped`;
}
