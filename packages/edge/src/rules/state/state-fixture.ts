import { batchFromSamples, type DeviceUid, layoutOrder, type Micros, type ReadingBatch } from "@penstock/model";
import { batchReader, planQuery, QueryRunner, type Saved } from "@penstock/rules";
import type { GivenOutput, RuleInput, StatefulRule } from "./rule-state.ts";

export const device = "d".repeat(32) as DeviceUid;
const layout = { id: 1, device, properties: layoutOrder([{ name: "a", type: "float64" as const }]) };
export const batchOf = (value: number): ReadingBatch =>
  batchFromSamples({
    layout,
    samples: [{ property: "a", time: value as Micros, value, quality: "good", reason: null }],
  }).batch;

export type Give = (rule: string, number: number, rows: string, output?: GivenOutput) => void;

/** A rule over the device, or over a stream of that name; `a` is a float. */
export function ruleOf(id: string, sql: string, give: Give): StatefulRule & { tick(now: Micros): void } {
  const host = {
    ...{ digest: () => new Uint8Array(), compress: () => new Uint8Array(), decompress: () => new Uint8Array() },
    ...{ random: () => 0.5, uuid: () => "" },
  };
  const plan = planQuery({
    ...{ sql, mode: "strict", host, timeZone: "UTC", offsetAt: () => 0, ruleId: id, startedAt: 0 },
    catalog: (name) => ({ name, columns: new Map([["a", { t: "float" }]]) }),
  });
  const [source] = plan.sources;
  const readers = plan.sources.map((one) => batchReader(one, {}));
  const isDevice = source!.stream === "d";
  const giveRows = (output: GivenOutput) => {
    const shown = JSON.stringify(output.rows, (_, one) => (typeof one === "bigint" ? `${one}n` : one));
    give(id, output.number, shown, output);
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
