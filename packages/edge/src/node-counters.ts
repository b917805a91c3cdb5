import type { Metrics } from "@penstock/runtime";

/** What a node says of its counters: what it dropped or refused, where that is anything at all. */
export function nodeCounters(metrics: Metrics): Record<string, number> {
  const losses = Object.entries(metrics.totals()).filter(
    ([name, total]) => total > 0 && /_(dropped|refused)_/.test(name),
  );
  return Object.fromEntries(losses);
}
