import type { NodeResource } from "@penstock/model";
import { timeText } from "./time-cell.ts";

export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Whether a gateway is there and has room, and what it has dropped or refused since it started. */
export function nodeFindings({ metadata, status }: Pick<NodeResource, "metadata" | "status">): Finding[] {
  const { connected, joined, lastSeenAt, outbox, counters } = status;
  const what = `node ${metadata.name}`;
  const away = lastSeenAt === null ? "its start" : timeText(lastSeenAt);
  const state = connected ? "connected" : joined ? `away since ${away}` : "has not joined";
  const waiting = outbox === null ? "" : `, ${outbox.readings} readings wait, ${outbox.dropped} dropped`;
  const losses = Object.entries(counters).filter(([name, total]) => total > 0 && /_(dropped|refused)_/.test(name));
  return [
    { what, ok: connected && outbox?.full !== true, detail: `${state}${waiting}` },
    ...losses.map(([name, total]) => ({
      what,
      ok: false,
      detail: `${name} is ${total} since the gateway started; docs/reference/metrics.md says of what`,
    })),
  ];
}
