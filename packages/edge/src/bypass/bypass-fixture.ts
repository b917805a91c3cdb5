// biome-ignore-all lint/suspicious/noTemplateCurlyInString: topic templates have placeholders of the same shape
import type { TestContext } from "node:test";
import {
  batchFromSamples,
  type DeviceUid,
  defaultMqtt,
  type EffectiveDevice,
  type EffectiveMqtt,
  layoutOrder,
  type Micros,
  type NodeUid,
  type ReadingBatch,
  type TenantUid,
} from "@penstock/model";
import { type Metrics, metricsRegistry, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { type Bypass, type BypassOptions, type BypassSite, openBypass } from "./bypass.ts";

export const uid = "d".repeat(32) as DeviceUid;
export const time = 1_800_000_000_000_000 as Micros;
export const press: EffectiveDevice = {
  uid,
  name: "press-3",
  generation: 1,
  connection: "c".repeat(32) as EffectiveDevice["connection"],
  address: {},
  methods: [],
  offlineAfterMs: null,
  custom: {},
  properties: (["pressure", "recipe"] as const).map((name) => ({
    name,
    type: name === "pressure" ? ("float32" as const) : ("string" as const),
    unit: null,
    access: "read" as const,
    minimum: null,
    maximum: null,
    visitor: {},
    collect: { everyMs: 1000 },
    report: { toCloud: true, cadence: null, deadband: null, atLeastMs: null },
    localWrites: "refuse",
    custom: {},
    publish: name === "pressure" ? { topic: "plant/${device}/${property}", qos: 1 as const } : null,
  })),
};
const layout = { id: 0, device: uid, properties: layoutOrder(press.properties) };

export function cycle(pressure: number, recipe = "bottle"): ReadingBatch {
  const good = { time, quality: "good" as const, reason: null };
  return batchFromSamples({
    layout,
    samples: [
      { property: "pressure", value: Math.fround(pressure), ...good },
      { property: "recipe", value: recipe, ...good },
    ],
  }).batch;
}

export interface Site {
  readonly bypass: Bypass;
  readonly metrics: Metrics;
  readonly port: number;
}

type Settings = Partial<BypassOptions> & {
  readonly mqtt?: EffectiveMqtt;
  readonly devices?: readonly EffectiveDevice[];
};

export function siteOf(mqtt: EffectiveMqtt, devices: readonly EffectiveDevice[] = [press]): BypassSite {
  const node = { uid: "n".repeat(32) as NodeUid, name: "gw-01", timeZone: "UTC", mqtt };
  return { tenant: { uid: "t".repeat(32) as TenantUid, name: "acme" }, node, devices };
}

export async function open(t: TestContext, options: Settings = {}): Promise<Site> {
  const metrics = metricsRegistry();
  const ports = { clock: systemClock(), random: systemRandom, log: silentLog, metrics };
  const { mqtt = defaultMqtt, devices = [press], ...rest } = options;
  const bypass = await openBypass({ port: 0, site: siteOf(mqtt, devices), ...ports, ...rest });
  t.after(() => bypass.close());
  return { bypass, metrics, port: bypass.address.port };
}

export function counted(metrics: Metrics, name: string, reason: string): number {
  const line = new RegExp(`^penstock_bypass_${name}_total[{]reason="${reason}"[}] ([0-9]+)$`, "m");
  return Number(line.exec(metrics.expose())?.[1] ?? 0);
}

export async function client(t: TestContext, port: number, options: IClientOptions = {}): Promise<MqttClient> {
  const made = await connectAsync({ host: "127.0.0.1", port, reconnectPeriod: 0, protocolVersion: 5, ...options });
  made.on("error", () => {});
  t.after(() => made.end(true));
  return made;
}

export function closing(of: MqttClient): Promise<void> {
  return new Promise((resolve) => of.once("close", resolve));
}

/** The next so many messages, as topic and text. */
export function messages(from: MqttClient, count: number): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  return new Promise((resolve) => {
    from.on("message", (topic, payload) => {
      seen.set(topic, payload.toString());
      if (seen.size === count) resolve(seen);
    });
  });
}
