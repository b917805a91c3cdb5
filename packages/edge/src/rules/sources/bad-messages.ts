import type { Log, Metrics } from "@penstock/runtime";

/** Counts what a source brought and nobody could read; the log tells of the first. */
export function badMessages(parts: { readonly metrics: Metrics; readonly log: Log; readonly name: string }) {
  const { metrics, log, name } = parts;
  const help = "Messages, lines and answers of sources that are no rows";
  const counter = metrics.counter("penstock_rules_source_bad_total", help, { source: name });
  return (what: string) => {
    if (counter.value === 0) log.warn({ source: name, what }, "What a source of a rule brings cannot be read");
    counter.add();
  };
}
