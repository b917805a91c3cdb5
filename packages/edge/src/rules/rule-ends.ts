import { AppError, type EffectiveRule, type RuleEnds, type RuleLoops, readsOf, writesOf } from "@penstock/model";
import { outputColumns } from "@penstock/rules";
import type { RunningRule } from "./running-rule.ts";

/** @throws AppError rules/loop */
export function mustNotLoop(ends: RuleEnds, loops: RuleLoops): void {
  const loop = loops.through(ends);
  if (loop === null) return;
  throw new AppError("rules/loop", `Rule "${ends.name}" would be fed with what it gives: ${loop.join(" ─▶ ")}`);
}

/** What a rule is fed with and gives. */
export function endsOf({ name, sql, mode, actions, sources }: EffectiveRule, { plan }: RunningRule): RuleEnds {
  const streams = plan.sources.map(({ stream, columns }) => ({
    stream,
    columns: columns.flatMap((column) => (column.t === "column" ? [column.name] : [])),
  }));
  const chooses = plan.where !== null || (plan.window?.filter ?? null) !== null;
  return { name, reads: readsOf({ sources, streams, chooses }), writes: writesOf(actions, outputColumns(sql, mode)) };
}
