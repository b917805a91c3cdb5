import type { MapperManifest } from "../mapper-manifest.ts";
import { checkTopic } from "../resources/check-topic.ts";
import type { PropertySpec } from "../resources/device.ts";
import { formatDuration } from "../time.ts";
import type { Fields } from "./fields.ts";
import type { KubeEdgeModel } from "./from-model.ts";
import { visitorOf } from "./from-protocol.ts";
import { cycleBounds, kubeEdgeCycleMs, takeMs } from "./from-units.ts";
import { takeVisitor } from "./from-visitor.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** What a device says of one of its model's properties. */
export type KubeEdgeProperty = Mutable<Partial<PropertySpec>>;

/** An entry of v1beta1's `properties` or of v1alpha2's `propertyVisitors`. */
export function takeProperty(
  item: Fields,
  options: {
    readonly manifest: MapperManifest;
    readonly model: KubeEdgeModel;
    /** its name in KubeEdge */
    readonly name: string;
    readonly device: string;
    readonly isBeta: boolean;
  },
): KubeEdgeProperty {
  const { manifest, model, name, device, isBeta } = options;
  const found = model.properties.get(name)!;
  const holder = isBeta ? item.child("visitors") : item;
  const { config } = visitorOf(holder, manifest);
  const defaults = model.visitors.get(name);
  // KubeEdge merges what model and device say of a visitor field by field, before anybody reads it.
  const own = config.left().length === 0 ? null : defaults === undefined ? config : config.over(defaults);
  const { visitor, custom: unknown } = own === null ? {} : takeVisitor(own, manifest, found.spec.type);
  const values = item.take("customizedValues");
  const custom = { ...unknown, ...(typeof values === "object" && values !== null && values) };
  const property: KubeEdgeProperty = {
    ...(visitor !== undefined && { visitor }),
    ...takeCycles(item, isBeta),
    ...(Object.keys(custom).length > 0 && { custom }),
  };
  if (isBeta) {
    const publish = takePush(item.child("pushMethod"));
    if (publish !== undefined) property.publish = publish;
    const { value } = (item.take("desired") ?? {}) as { readonly value?: unknown };
    const todo = `penstock set ${device} ${found.name} ${String(value ?? "VALUE")}`;
    item.lose("desired", "an import writes nothing to a machine", todo);
  }
  const table = (visitor ?? found.spec.visitor)?.table;
  if (manifest.name === "modbus" && found.spec.access === "readWrite" && (table === "discrete" || table === "input")) {
    item.tell(isBeta ? "visitors" : "modbus", {
      level: "lossy",
      why: `accessMode ReadWrite: nobody can write ${table} registers, taken as read`,
    });
    property.access = "read";
  }
  return property;
}

function takeCycles(item: Fields, isBeta: boolean): Pick<KubeEdgeProperty, "collect" | "report"> {
  const collect = takeMs(item, "collectCycle", cycleBounds);
  let report = takeMs(item, "reportCycle", cycleBounds);
  const readEvery = collect ?? kubeEdgeCycleMs;
  if (report !== undefined && report < readEvery) {
    item.tell("reportCycle", {
      level: "lossy",
      why: `nothing is reported more often than it is read: taken as ${formatDuration(readEvery)}`,
    });
    report = readEvery;
  }
  const toCloud = isBeta ? (item.flag("reportToCloud") ?? false) : true;
  return {
    ...(collect !== undefined && { collect: { every: formatDuration(collect) } }),
    ...((report !== undefined || !toCloud) && {
      report: { ...(!toCloud && { toCloud }), ...(report !== undefined && { every: formatDuration(report) }) },
    }),
  };
}

const elsewhere = "readings go to the gateway's broker and to the cloud";
const sinks: Readonly<Record<string, string>> = {
  http: "subscribe at the gateway's broker, or read the API",
  otel: "scrape /metrics, or subscribe at the gateway's broker",
  dbMethod: "the cloud stores readings itself; subscribe at the gateway's broker for another database",
  anomalyDetection: "minimum, maximum and dead bands are fields of the property",
};

/** Where KubeEdge's own broker listens, and ours. */
const ownBroker = /^(tcp|mqtt):\/\/(127\.0\.0\.1|localhost|\[::1\]):1883\/?$/;

/** @returns what our bypass does alike */
function takePush(push: Fields): { topic: string; qos?: 0 | 1 } | undefined {
  for (const [sink, todo] of Object.entries(sinks)) push.lose(sink, elsewhere, todo);
  if (!push.has("mqtt")) return undefined;
  const mqtt = push.child("mqtt");
  const address = mqtt.text("address");
  if (address !== undefined && !ownBroker.test(address)) {
    const todo = "give the gateway the broker's address";
    mqtt.tell("address", { level: "lossy", why: "readings are published at the gateway's own broker", todo });
  }
  if (mqtt.flag("retained") === true)
    mqtt.tell("retained", { level: "lossy", why: "bypass messages are not retained" });
  const qos = mqtt.number("qos");
  const isQos = qos === 0 || qos === 1;
  if (qos !== undefined && !isQos) mqtt.tell("qos", { level: "lossy", why: "must be 0 or 1: 1 is taken" });
  const topic = takeTopic(mqtt, "topic");
  if (topic === undefined) return undefined;
  return { topic, ...(qos !== undefined && { qos: isQos ? qos : 1 }) };
}

/** @param filled what stands for wildcards */
export function takeTopic(fields: Fields, key: string, filled = (topic: string) => topic): string | undefined {
  const given = fields.text(key);
  if (given === undefined || given === "") return undefined;
  const topic = filled(given);
  const wrong = checkTopic(topic, key)[0];
  if (wrong === undefined) return topic;
  fields.tell(key, { level: "lossy", why: wrong.rule, todo: "state publish.topic" });
  return undefined;
}
