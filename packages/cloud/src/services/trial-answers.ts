import { limits } from "@penstock/model";
import type { Answer, QueryRunner, Value, Wanted } from "@penstock/rules";
import { jsonOf, type TrialRow } from "./trial-row.ts";

/**
 * What lookup tables answer in a trial, which asks nobody: the typed-in rows whose stream is the table, wherever they stand.
 * A value is equal to one of another type that reads the same.
 *
 * @param of.isGiven  rows were typed in; else those of lookup tables are known to nobody
 * @returns answers all that the rule wants by now
 */
export function trialAnswers(of: {
  readonly runner: QueryRunner;
  readonly rows: readonly TrialRow[];
  readonly isGiven: boolean;
}): (now: number) => void {
  const { runner, rows, isGiven } = of;
  const byTable = new Map<string, TrialRow["values"][]>();
  for (const { stream, values } of rows) {
    const known = byTable.get(stream);
    if (known === undefined) byTable.set(stream, [values]);
    else known.push(values);
  }
  const answerOf = ({ table, key, keys }: Wanted): Answer => {
    const found = byTable.get(table);
    if (!isGiven || found === undefined) {
      const failure = `a trial asks nobody; type in rows with stream "${table}", which are what it answers`;
      return { table, key, failure };
    }
    const isMeant = (values: TrialRow["values"]) =>
      Object.entries(keys).every(([name, value]) => textOf(values[name] ?? null) === textOf(value));
    return { table, key, rows: found.filter(isMeant).slice(0, limits.lookupRows) as Record<string, Value>[] };
  };
  return (now) => {
    // What one table answers is what the next is asked by.
    for (let wanted = runner.wanted; wanted.length > 0; wanted = runner.wanted)
      runner.answer(wanted.map(answerOf), now);
  };
}

function textOf(value: unknown): string {
  const shown = jsonOf(value as Value);
  return typeof shown === "object" ? JSON.stringify(shown) : String(shown);
}
