import type { ObjectValue } from "@penstock/rules";
import type { RuleOutput, Sink } from "./sink.ts";
import type { SinkParts } from "./sink-parts.ts";

/** results that wait for the ones before; beyond, the oldest go and are counted */
const bound = 1000;

/**
 * An action that is done for one result after the other. One for which it cannot be done is counted and told in the status
 * of the rule, and the next goes on.
 */
export function inTurn(parts: SinkParts, act: (output: RuleOutput) => void | Promise<void>): Sink {
  const dropped = parts.metrics.counter(
    "penstock_rules_dropped_results_total",
    "Results dropped since an action fell behind its bound",
    { rule: parts.rule },
  );
  const waiting: { readonly output: RuleOutput; readonly done: () => void }[] = [];
  let working: Promise<void> | null = null;
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await attempt(parts, next.output, () => act(next!.output));
      next.done();
    }
    working = null;
  }
  return {
    take(output) {
      if (waiting.length >= bound) {
        waiting.shift()!.done();
        dropped.add();
      }
      return new Promise((done) => {
        waiting.push({ output, done });
        working ??= work();
      });
    },
    close: async () => void (await working),
  };
}

/** As `inTurn`, for each row of each result: one that fails does not keep the others from being done. */
export function eachRow(parts: SinkParts, act: (row: ObjectValue, output: RuleOutput) => void | Promise<void>): Sink {
  return inTurn(parts, async (output) => {
    for (const row of output.rows) await attempt(parts, output, () => act(row, output));
  });
}

async function attempt(
  { rule, metrics, log, failed }: SinkParts,
  { number }: RuleOutput,
  act: () => void | Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    metrics.counter("penstock_rules_failed_actions_total", "Actions of rules that could not be done", { rule }).add();
    log.debug({ number, message }, "An action of a rule could not be done");
    failed(message);
  }
}
