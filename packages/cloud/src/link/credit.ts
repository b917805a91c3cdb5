/** Bytes each gateway may have sent and not yet committed, per lane. */
export interface Credit {
  readonly live: number;
  readonly backlog: number;
}

const smallestLive = 65_536;
const smallestBacklog = 16_384;
const largest = 4 * 1024 * 1024;

/**
 * Shares what ingest can hold among the gateways that have something under way: a catching-up gateway gets its part and
 * no more, and when ingest falls behind, backlog gives way before live does. Never 0, so that no lane waits for a message
 * that nobody has a reason to send. Pure.
 *
 * @param load.pendingBytes handed to ingest and not committed, of all gateways
 * @param load.budgetBytes what ingest may hold in memory
 * @param load.active gateways with something pending
 */
export function creditFor(load: { pendingBytes: number; budgetBytes: number; active: number }): Credit {
  const share = load.budgetBytes / Math.max(1, load.active);
  const free = Math.max(0, 1 - load.pendingBytes / load.budgetBytes);
  return {
    live: clamp(share / 2, smallestLive, largest),
    backlog: clamp((share / 2) * free, smallestBacklog, largest),
  };
}

/** Whether the gateway should hear of it at once; small changes wait for the next acknowledgement. */
export function isMaterial(told: Credit, now: Credit): boolean {
  return (["live", "backlog"] as const).some((lane) => now[lane] >= told[lane] * 2 || now[lane] * 2 <= told[lane]);
}

function clamp(value: number, low: number, high: number): number {
  return Math.floor(Math.min(high, Math.max(low, value)));
}
