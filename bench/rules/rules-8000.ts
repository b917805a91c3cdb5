import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  batchFromSamples,
  type DeviceUid,
  type EffectiveDevice,
  type EffectiveRule,
  type Micros,
  type RuleUid,
} from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { createRules } from "../../packages/edge/src/rules/rules.ts";
import { type Bench, row } from "../bench.ts";
import { benchHost } from "./rules-fixture.ts";

const deviceCount = 800;
const rulesPerDevice = 10;
const stepMs = 10;

const properties = [{ name: "temperature", type: "float64" }] as const;
const name = (at: number) => `machine-${at}`;
const uidOf = (at: number) => at.toString(16).padStart(32, "0");
const layouts = Array.from({ length: deviceCount }, (_, at) => ({
  ...{ id: at, device: uidOf(at) as DeviceUid, properties },
}));
const batchOf = (at: number, value: number, time: Micros) =>
  batchFromSamples({
    layout: layouts[at]!,
    samples: [{ property: "temperature", time, value, quality: "good", reason: null }],
  }).batch;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
function heapBytes(): number {
  for (let i = 0; i < 3; i++) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** 800 readings a second, one of each device, in real time. @returns share of a core in percent */
async function load(ms: number, take: (at: number, value: number, time: Micros) => void): Promise<number> {
  const clock = systemClock();
  const began = performance.now();
  const before = process.cpuUsage();
  let sent = 0;
  for (let passed = 0; passed < ms; passed = performance.now() - began) {
    for (const due = (passed / 1000) * deviceCount; sent < due; sent++)
      take(sent % deviceCount, (sent * 7919) % 100, clock.now());
    await wait(stepMs);
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1000 / (performance.now() - began)) * 100;
}

export const rulesMany: Bench = {
  name: "rules-8000",
  async *run({ smoke, folder }) {
    const ms = smoke ? 300 : 10_000;
    let rows = 0;
    const rules = createRules({
      ...{ clock: systemClock(), log: silentLog, metrics: metricsRegistry(), host: benchHost, random: systemRandom },
      ...{ files: realFiles(), folder, offsetAt: () => () => 0 },
      site: {
        async publish() {
          rows++;
        },
        async readings() {},
        twin: {
          setLocally: () => Promise.reject(new Error("Nothing is written")),
          callHere: () => Promise.reject(new Error("Nothing is called")),
        },
      },
    });
    const devices = layouts.map(({ device }, at) => {
      const base = { uid: device, name: name(at), generation: 1, methods: [] };
      return { ...base, properties: properties.map((one) => ({ ...one, unit: null })) } as unknown as EffectiveDevice;
    });
    const specs = Array.from({ length: deviceCount * rulesPerDevice }, (_, at): EffectiveRule => {
      const sql = `SELECT temperature FROM \`${name(at % deviceCount)}\` WHERE temperature > ${90 + (at % rulesPerDevice)}`;
      const base = { uid: uidOf(at) as RuleUid, name: `rule-${at}`, generation: 1, sql, mode: "strict" } as const;
      return { ...base, isStopped: false, eventTime: null, sources: {}, actions: [{ mqtt: { topic: `rule/${at}` } }] };
    });
    const before = heapBytes();
    await rules.apply({ tenant: "bench", timeZone: "UTC", devices, rules: specs });
    const bytes = heapBytes() - before;
    const ours = await load(ms, (at, value, time) => void rules.consumer.take(batchOf(at, value, time)));
    const bounds = specs.map((_, at) => 90 + (at % rulesPerDevice));
    let kept = 0;
    const theirs = await load(ms, (at, value, time) => {
      const batch = batchOf(at, value, time);
      const [given] = batch.columns.find((one) => one instanceof Float64Array)!;
      for (let rule = at; rule < bounds.length; rule += deviceCount) {
        if (given! > bounds[rule]!) kept += JSON.stringify({ temperature: given }).length;
      }
    });
    await rules.close();
    if (rows === 0 || kept === 0) throw new Error("No rule gave anything");
    yield row({
      ...{ bench: "rules-8000", metric: "processor", value: ours, unit: "% of a core", lowerIsBetter: true },
      ...{ baseline: "hand-written loops", baselineValue: theirs },
    });
    yield row({
      ...{ bench: "rules-8000", metric: "memory", value: bytes / specs.length / 1000, unit: "kB/rule" },
      ...{ baseline: "the goal", baselineValue: 20, lowerIsBetter: true },
    });
  },
};
