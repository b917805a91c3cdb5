import { setImmediate as turn } from "node:timers/promises";
import {
  batchFromSamples,
  type DeviceUid,
  type EffectiveDevice,
  type EffectiveRule,
  type LocalCall,
  type LocalEnd,
  type LocalWrite,
  layoutOrder,
  type Micros,
  type ReadingBatch,
  type RuleUid,
  readingsOf,
  type Value,
  type ValueType,
} from "@penstock/model";
import type { HostFunctions } from "@penstock/rules";
import { metricsRegistry, realFiles, silentLog, systemRandom } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { createRules, type RulesOptions } from "./rules.ts";

const host: HostFunctions = {
  digest: (_algorithm, bytes) => bytes,
  compress: (_method, bytes) => bytes,
  decompress: (_method, bytes) => bytes,
  random: () => 0.5,
  uuid: () => "00000000-0000-4000-8000-000000000000",
};

const property = (name: string, type: ValueType, more: object = {}) => ({
  ...{ name, type, unit: null, access: "read", minimum: null, maximum: null, localWrites: "refuse", ...more },
});
/** a device with what rules look at: level and count are collected, clean and mean are calculated, target may be set */
export function device(name: string, more: object = {}): EffectiveDevice {
  const properties = [
    property("level", "float64", { unit: "m" }),
    property("count", "int16"),
    property("clean", "float64", { isCalculated: true }),
    property("mean", "int32", { isCalculated: true }),
    property("target", "float32", { access: "readWrite", localWrites: "hold" }),
  ];
  const method = {
    ...{ name: "dose", result: null, timeoutMs: 1000, visitor: {}, sets: [] },
    arguments: [{ name: "n", type: "int64", minimum: null, maximum: null, isOptional: false }],
  };
  const base = { uid: name.padEnd(32, "0") as DeviceUid, name, generation: 1, properties, methods: [method] };
  return { ...base, ...more } as unknown as EffectiveDevice;
}

/** The rules stage with a gateway around it that notes what actions do. */
export function site(more: Partial<RulesOptions> = {}) {
  const clock = new SimClock();
  const out: [topic: string, content: unknown][] = [];
  const readings: ReadingBatch[] = [];
  const writes: LocalWrite[] = [];
  const calls: LocalCall[] = [];
  const metrics = metricsRegistry();
  const rules = createRules({
    ...{ clock, log: silentLog, metrics, host, random: systemRandom, files: realFiles(), folder: "/nowhere" },
    offsetAt: () => () => 0,
    site: {
      async publish({ topic, payload }) {
        out.push([topic, JSON.parse(Buffer.from(payload).toString())]);
      },
      async readings(batch) {
        readings.push(batch);
        await rules.consumer.take(batch);
      },
      twin: {
        async setLocally(write) {
          writes.push(write);
          return { ended: Promise.resolve({ state: "confirmed", message: null } as LocalEnd) };
        },
        async callHere(call) {
          calls.push(call);
          return { state: "done", reason: null, message: null, type: null, value: null, steps: [] };
        },
      },
    },
    ...more,
  });
  return {
    ...{ clock, out, rules, metrics, writes, calls },
    /** [property, value] of what went onto the bus */
    series: () => readings.flatMap((batch) => readingsOf(batch).map(({ property, value }) => [property, value])),
    apply: (specs: readonly EffectiveRule[], devices = [device("tank-01")]) =>
      void rules.apply({ tenant: "acme", timeZone: "UTC", devices, rules: specs }),
    async come(values: { readonly [name: string]: Value }, name = "tank-01", time: Micros = clock.now()) {
      const samples = Object.entries(values).map(
        ([key, value]) => ({ property: key, time, value, quality: "good", reason: null }) as const,
      );
      const { uid, properties } = device(name);
      const collected = properties.filter((one) => one.isCalculated !== true);
      const layout = {
        id: 1,
        device: uid,
        properties: layoutOrder(collected.map(({ name, type }) => ({ name, type }))),
      };
      await rules.consumer.take(batchFromSamples({ layout, samples }).batch);
      await turn();
    },
    statusOf: (uid: string) => rules.status().find((one) => one.rule === uid)!,
  };
}

/** A rule whose results are messages at its own name, unless it has other actions. */
export function rule(name: string, sql: string, more: Partial<EffectiveRule> = {}): EffectiveRule {
  const base = { uid: name as RuleUid, name, generation: 1, sql, mode: "strict", isStopped: false } as const;
  return { ...base, eventTime: null, sources: {}, actions: [{ mqtt: { topic: name } }], ...more };
}
