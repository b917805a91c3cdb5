import {
  type BusConsumer,
  codeOf,
  type DeviceUid,
  type EffectiveDevice,
  type ErrorCode,
  type ReadingBatch,
  traceId,
} from "@penstock/model";
import type { HostFunctions, ObjectValue, OffsetAt } from "@penstock/rules";
import type { Clock, Log, Metrics } from "@penstock/runtime";
import { deviceStreams } from "./device-streams.ts";
import { type RuleCounts, type RuleSpec, RunningRule } from "./running-rule.ts";

const file = "edge/src/rules/rules.ts";
/** batches that may wait; the oldest go first and are counted: a rule never holds up collecting */
const bound = 1024;

export interface RulesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly host: HostFunctions;
  /** where the results of a rule go */
  emit(rule: string, rows: readonly ObjectValue[]): void;
}

/** What is assigned to the gateway, as far as rules need it. */
export interface RuleSet {
  readonly tenant: string;
  readonly timeZone: string;
  readonly offsetAt: OffsetAt;
  readonly devices: readonly EffectiveDevice[];
  readonly rules: readonly RuleSpec[];
}

/** How a rule is. */
export type RuleStatus =
  | ({ readonly name: string; readonly state: "running" } & RuleCounts)
  | { readonly name: string; readonly state: "refused"; readonly reason: ErrorCode; readonly message: string };

export interface Rules {
  readonly consumer: BusConsumer;
  /** Begins, ends and replaces rules. One that is refused keeps the others running. */
  apply(set: RuleSet): readonly RuleStatus[];
  status(): readonly RuleStatus[];
  close(): void;
}

interface Held {
  readonly spec: RuleSpec;
  /** what it was planned for: another set of devices may give another plan */
  readonly of: string;
  readonly running: RunningRule | null;
  readonly refusal: { readonly reason: ErrorCode; readonly message: string } | null;
}

/** The rules stage: streaming SQL over what is collected; the same rows in the same order give the same results. */
export function createRules(options: RulesOptions): Rules {
  const { log, metrics, clock, host, emit } = options;
  let held: readonly Held[] = [];
  let byDevice: ReadonlyMap<DeviceUid, readonly RunningRule[]> = new Map();

  const begin = (spec: RuleSpec, of: string, set: RuleSet): Held => {
    const out = metrics.counter("penstock_rules_rows_total", "Rows that rules gave", { rule: spec.name });
    const failed = metrics.counter("penstock_rules_errors_total", "Rows and groups that a rule could not compute", {
      rule: spec.name,
    });
    try {
      const running = new RunningRule(spec, {
        ...{ clock, host, timeZone: set.timeZone, offsetAt: set.offsetAt },
        streams: deviceStreams(set.devices, set.tenant),
        rows(rows) {
          out.add(rows.length);
          emit(spec.name, rows);
        },
        error(message) {
          failed.add();
          log.debug({ stage: "rules", rule: spec.name, message }, "A rule could not compute a row");
        },
      });
      return { spec, of, running, refusal: null };
    } catch (error) {
      const refusal = { reason: codeOf(error), message: error instanceof Error ? error.message : String(error) };
      log.warn({ stage: "rules", rule: spec.name, ...refusal }, "A rule is refused");
      return { spec, of, running: null, refusal };
    }
  };
  const statusOf = ({ spec: { name }, running, refusal }: Held): RuleStatus =>
    running === null ? { name, state: "refused", ...refusal! } : { name, state: "running", ...running.counts };

  return {
    consumer: {
      ...{ name: "rules", bound, policy: "drop-oldest" },
      take(batch: ReadingBatch) {
        const rules = byDevice.get(batch.layout.device);
        if (rules === undefined) return;
        if (log.tracing) log.trace({ file, id: traceId(batch), rules: rules.length }, "Rules look");
        for (const rule of rules) rule.take(batch);
      },
    },
    apply(set) {
      const of = JSON.stringify([
        set.timeZone,
        set.devices.map(({ uid, name, generation }) => [uid, name, generation]),
      ]);
      const before = new Map(held.map((one) => [one.spec.name, one]));
      const next = set.rules.map((spec) => {
        const known = before.get(spec.name);
        const isSame =
          known !== undefined && known.of === of && known.spec.sql === spec.sql && known.spec.mode === spec.mode;
        return isSame ? known : begin(spec, of, set);
      });
      for (const one of held) if (!next.includes(one)) one.running?.close();
      held = next;
      const running = next.flatMap((one) => (one.running === null ? [] : [one.running]));
      const rulesOf = new Map<DeviceUid, RunningRule[]>();
      for (const rule of running) {
        for (const device of rule.devices) rulesOf.set(device, [...(rulesOf.get(device) ?? []), rule]);
      }
      byDevice = rulesOf;
      metrics.gauge("penstock_rules_running", "Rules that run").set(running.length);
      return held.map(statusOf);
    },
    status: () => held.map(statusOf),
    close() {
      for (const { running } of held) running?.close();
    },
  };
}
