import { type EffectiveRule, lookupDefaults } from "@penstock/model";
import type { ObjectValue, Wanted } from "@penstock/rules";
import type { Clock, Log, Metrics } from "@penstock/runtime";
import { msOf } from "../sinks/delivery/delivery-settings.ts";
import { answerRows, answerStream } from "./answer-rows.ts";
import { LookupDesk } from "./lookup-desk.ts";
import { openLookupPeer } from "./open-lookup-peer.ts";

/** The lookup tables of a rule. */
export interface RuleLookups {
  /** What comes of it comes as a row of the table's stream, always. */
  ask(wanted: Wanted): void;
  close(): Promise<void>;
}

export interface RuleLookupsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** takes a row with answers */
  row(stream: string, content: ObjectValue): void;
}

/** Nobody is talked to before a row wants something. @throws AppError rules/unknown-action */
export function openRuleLookups(
  rule: Pick<EffectiveRule, "uid" | "name" | "sources">,
  options: RuleLookupsOptions,
): RuleLookups {
  const { clock, log, metrics } = options;
  const desks = new Map<string, LookupDesk>();
  for (const [table, { lookup }] of Object.entries(rule.sources)) {
    if (lookup === undefined) continue;
    const stream = answerStream(rule.uid, table);
    const desk = new LookupDesk({
      ...{ peer: openLookupPeer(lookup, { clock }), clock, log, metrics, rule: rule.name, table },
      timeoutMs: msOf(lookup.timeout, lookupDefaults.timeoutMs),
      answer: (answers) => {
        for (const row of answerRows(answers)) options.row(stream, row);
      },
    });
    desks.set(table, desk);
  }
  return {
    ask: (wanted) => desks.get(wanted.table)?.ask(wanted),
    close: async () => void (await Promise.all([...desks.values()].map((desk) => desk.close()))),
  };
}
