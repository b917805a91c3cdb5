import type { Metrics } from "@penstock/runtime";

/** What the state of rules counts. */
export function stateMetrics(metrics: Metrics) {
  return {
    kept: metrics.counter("penstock_rules_state_inputs_total", "Inputs of rules with state, kept for a restart"),
    unkept: metrics.counter(
      "penstock_rules_state_unkept_inputs_total",
      "Inputs of rules with state that the disk refused",
    ),
    missed: metrics.counter(
      "penstock_rules_state_missed_inputs_total",
      "Inputs of rules with state that went, and nobody has seen, since the rules took too long",
    ),
    dropped: metrics.counter(
      "penstock_rules_state_dropped_inputs_total",
      "Kept inputs that had to go before a checkpoint had them",
    ),
    unsure: metrics.counter(
      "penstock_rules_state_unsure_outputs_total",
      "Outputs that a checkpoint passed before their sinks had taken them",
    ),
    tooLarge: metrics.counter(
      "penstock_rules_state_too_large_total",
      "States of rules that were larger than a checkpoint takes",
    ),
    checkpoints: metrics.counter("penstock_rules_state_checkpoints_total", "Checkpoints of rules written"),
    failed: metrics.counter(
      "penstock_rules_state_checkpoints_failed_total",
      "Checkpoints of rules that the disk refused",
    ),
    isDurable: metrics.gauge("penstock_rules_state_durable", "1 while what rules remember survives a restart"),
    journalBytes: metrics.gauge(
      "penstock_rules_state_journal_bytes",
      "Inputs of rules on disk, those that no checkpoint has and the rest of their files",
    ),
    checkpointBytes: metrics.gauge("penstock_rules_state_checkpoint_bytes", "Last checkpoint of rules"),
  } as const;
}
export type StateMetrics = ReturnType<typeof stateMetrics>;
