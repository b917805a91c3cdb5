import {
  batchFromSamples,
  type DeviceUid,
  type EffectiveDevice,
  layoutOrder,
  type Micros,
  type ReadingBatch,
} from "@penstock/model";
import { batchReader, type HostFunctions, planQuery, QueryRunner, type Saved } from "@penstock/rules";
import type { Clock } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { ruleStreams } from "../rule-streams.ts";
import { device as deviceNamed, rule } from "../rules-fixture.ts";
import { RunningRule } from "../running-rule.ts";
import type { GivenOutput, RuleInput, StatefulRule } from "./rule-state.ts";

export const device = "d".repeat(32) as DeviceUid;
export const otherDevice = "e".repeat(32) as DeviceUid;
const properties = layoutOrder([{ name: "a", type: "float64" as const }]);
const layouts = new Map([device, otherDevice].map((one, at) => [one, { id: 1 + at, device: one, properties }]));
export const batchOf = (value: number, { of = device, time = value } = {}): ReadingBatch =>
  batchFromSamples({
    layout: layouts.get(of)!,
    samples: [{ property: "a", time: time as Micros, value, quality: "good", reason: null }],
  }).batch;

/** A clock on which each look takes so long. */
export class SlowClock extends SimClock {
  lookMicros: number;
  #looked = 0;

  constructor(options: ConstructorParameters<typeof SimClock>[0] & { readonly lookMicros: number }) {
    super(options);
    this.lookMicros = options.lookMicros;
  }

  override monotonic(): number {
    this.#looked += this.lookMicros;
    return super.monotonic() + this.#looked;
  }
}

export type Give = (rule: string, number: number, rows: string, output?: GivenOutput) => void;

const host: HostFunctions = {
  ...{ digest: () => new Uint8Array(), compress: () => new Uint8Array(), decompress: () => new Uint8Array() },
  ...{ random: () => 0.5, uuid: () => "" },
};
const shown = (rows: readonly object[]) =>
  JSON.stringify(rows, (_, one) => (typeof one === "bigint" ? `${one}n` : one));

/** A rule of the product over the devices `d` and `e`, whose rows are of their own times. */
export function eventRuleOf(id: string, sql: string, of: { readonly give: Give; readonly clock: Clock }): RunningRule {
  const spec = {
    ...rule(id, sql),
    eventTime: { lateToleranceMs: 700, idleAfterMs: 3000 },
  };
  const devices = new Map(
    [device, otherDevice].map((uid) => [
      uid[0]!,
      {
        ...deviceNamed(uid[0]!),
        uid,
        properties: [{ name: "a", type: "float64", unit: null }],
      } as unknown as EffectiveDevice,
    ]),
  );
  return new RunningRule(spec, {
    ...{ clock: of.clock, host, timeZone: "UTC", offsetAt: () => 0, dropped: () => {}, ask: () => {} },
    streams: ruleStreams({ devices, tenant: "acme", rule: spec }),
    output: (output) => of.give(id, output.number, shown(output.rows), output),
    error: (message) => of.give(id, -1, message),
  });
}

/** A rule over the device, or over a stream of that name; `a` is a float. */
export function ruleOf(id: string, sql: string, give: Give): StatefulRule & { tick(now: Micros): void } {
  const plan = planQuery({
    ...{ sql, mode: "strict", host, timeZone: "UTC", offsetAt: () => 0, ruleId: id, startedAt: 0 },
    catalog: (name) => ({ name, columns: new Map([["a", { t: "float" }]]) }),
  });
  const [source] = plan.sources;
  const readers = plan.sources.map((one) => batchReader(one, {}));
  const isDevice = source!.stream === "d";
  const giveRows = (output: GivenOutput) => {
    give(id, output.number, shown(output.rows), output);
  };
  const runner = new QueryRunner(plan, {
    rows: (rows, number) => giveRows({ number, time: 0 as Micros, rows }),
    error: (error) => give(id, -1, error.message),
  });
  const closeUntil = (now: number) => {
    for (let due = runner.due(); due !== null && due <= now; due = runner.due()) runner.tick(due, due);
  };
  return {
    ...{ id, key: sql, devices: isDevice ? [device] : [], streams: isDevice ? [] : [source!.stream] },
    get number() {
      return runner.number;
    },
    take(input: RuleInput) {
      closeUntil(input.now);
      if (input.t === "batch")
        for (const read of readers) runner.push({ ...read(input.batch), at: input.now }, input.now);
      if (input.t === "row")
        runner.push(
          {
            at: input.now,
            source: 0,
            values: source!.columns.map((one) => (one.t === "all" ? input.content : input.content.a!)),
          },
          input.now,
        );
    },
    failure: null,
    giveAgain: giveRows,
    tick: closeUntil,
    due: () => runner.due(),
    save: () => runner.save(),
    restore: (saved: Saved) => runner.restore(saved),
    numberFrom: (number) => runner.numberFrom(number),
  };
}
