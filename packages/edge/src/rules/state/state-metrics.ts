import type { Metrics } from "@penstock/runtime";

/** What the state of rules counts. */
export function stateMetrics(metrics: Metrics) {
  const name = (what: string) => `penstock_rules_state_${what}`;
  return {
    kept: metrics.counter(name("inputs_total"), "Inputs of rules with state, kept for a restart"),
    unkept: metrics.counter(name("unkept_inputs_total"), "Inputs of rules with state that the disk refused"),
    dropped: metrics.counter(name("dropped_inputs_total"), "Kept inputs that had to go before a checkpoint had them"),
    unsure: metrics.counter(
      name("unsure_outputs_total"),
      "Outputs that a checkpoint passed before their sinks had taken them",
    ),
    tooLarge: metrics.counter(name("too_large_total"), "States of rules that were larger than a checkpoint takes"),
    checkpoints: metrics.counter(name("checkpoints_total"), "Checkpoints of rules written"),
    failed: metrics.counter(name("checkpoints_failed_total"), "Checkpoints of rules that the disk refused"),
    isDurable: metrics.gauge(name("durable"), "1 while what rules remember survives a restart"),
    journalBytes: metrics.gauge(name("journal_bytes"), "Inputs of rules on disk that no checkpoint has"),
    checkpointBytes: metrics.gauge(name("checkpoint_bytes"), "Last checkpoint of rules"),
  } as const;
}
export type StateMetrics = ReturnType<typeof stateMetrics>;
