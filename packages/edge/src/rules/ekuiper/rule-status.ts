import type { EffectiveRule, RuleHealth } from "@penstock/model";
import { sourcesOf } from "./from-ekuiper.ts";

/**
 * How a rule is, with the keys that eKuiper's tools and dashboards read: `{source|op|sink}_{name}_{instance}_{metric}`. The
 * gateway counts a rule as one: every source and sink of it has the counts of the rule, rows in and rows out.
 *
 * @source reference 1.5, status keys
 */
export function statusOf(rule: EffectiveRule, health: RuleHealth | null): Readonly<Record<string, string | number>> {
  if (health === null || rule.isStopped) return { status: "stopped", message: "canceled manually" };
  const { state, message, rowsIn, rowsOut, errors, lastError } = health;
  if (state !== "running")
    return { status: state === "stopped" ? "stopped" : "stopped by error", message: message ?? "" };
  const counts = (of: string, records: readonly [number, number], exceptions: number) => ({
    [`${of}_records_in_total`]: records[0],
    [`${of}_records_out_total`]: records[1],
    [`${of}_messages_processed_total`]: records[0],
    [`${of}_process_latency_us`]: 0,
    [`${of}_buffer_length`]: 0,
    [`${of}_last_invocation`]: 0,
    [`${of}_exceptions_total`]: exceptions,
    [`${of}_last_exception`]: exceptions === 0 ? "" : (lastError ?? ""),
    [`${of}_last_exception_time`]: 0,
  });
  return {
    ...{ status: "running", message: message ?? "" },
    ...Object.assign({}, ...sourcesOf(rule.sql).map((name) => counts(`source_${name}_0`, [rowsIn, rowsIn], 0))),
    ...counts("op_2_project_0", [rowsIn, rowsOut], errors),
    ...Object.assign({}, ...sinksOf(rule).map((sink) => counts(`${sink}_0`, [rowsOut, rowsOut], 0))),
  };
}

/** "running", "stopped" or "stopped by error: …", as a list of rules says it. */
export function shortStatus(rule: EffectiveRule | null, health: RuleHealth | null): string {
  if (rule === null) return "stopped by error";
  const { status, message } = statusOf(rule, health) as { status: string; message: string };
  return status === "stopped by error" ? `${status}: ${message}` : status;
}

/** @returns "sink_mqtt_0", one for each action */
export function sinksOf({ actions }: EffectiveRule): string[] {
  return actions.map((action, i) => `sink_${Object.keys(action)[0]}_${i}`);
}

/** The way of rows: sources to the query, the query to sinks. */
export function topologyOf(rule: EffectiveRule) {
  const sources = sourcesOf(rule.sql).map((name) => `source_${name}`);
  const edges = Object.fromEntries([
    ...sources.map((name) => [name, ["op_2_project"]]),
    ["op_2_project", sinksOf(rule)],
  ]);
  return { sources, edges: edges as Readonly<Record<string, readonly string[]>> };
}
