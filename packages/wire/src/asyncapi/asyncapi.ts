import { type AssignedSet, defaultMqtt, type EffectiveDevice, type Json } from "@penstock/model";
import { flatDataTopic } from "../mqtt-flat.ts";
import { kubeEdgeDataTopic } from "../mqtt-kubeedge.ts";
import { tagsDataTopic } from "../mqtt-tags.ts";
import { planTopics } from "../mqtt-topics.ts";
import { type SparkplugType, sparkplugTopic } from "../sparkplug/sparkplug-topic.ts";
import { sparkplugDatatypes } from "../sparkplug/sparkplug-value.ts";
import { flatSchema, kubeEdgeSchema, tagsSchema } from "./payload-schemas.ts";

type Site = Pick<AssignedSet, "tenant" | "node" | "devices">;
/** One topic, and what is said there. */
interface Said {
  /** unique in the document; letters, digits, ".", "-" and "_" */
  readonly id: string;
  readonly address: string;
  readonly summary: string;
  /** of the gateway: it sends data and receives commands */
  readonly action: "send" | "receive";
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly contentType: string;
  readonly payload: Json;
}
type Objects = Record<string, Json>;
const json = "application/json";

/**
 * What a gateway says and hears over MQTT, as AsyncAPI 3.0.0: a channel for each topic, with the schema of its messages
 * from the devices' own properties. For people, and for programs that make clients of it. No password is in it.
 *
 * @source AsyncAPI 3.0.0, and its MQTT bindings 0.2.0
 */
export function asyncApiOf(site: Site): Readonly<Record<string, Json>> {
  const { tenant, node, devices } = site;
  const { anonymous, users, broker } = node.mqtt ?? defaultMqtt;
  const [channels, operations, messages, schemas]: Objects[] = [{}, {}, {}, {}];
  const needsLogin = broker === null ? anonymous === "none" : broker.user !== null;
  for (const { id, address, summary, action, qos, retain, contentType, payload } of allSaid(site)) {
    schemas![id] = payload;
    messages![id] = { name: id, contentType, payload: { $ref: `#/components/schemas/${id}` } };
    channels![id] = {
      address,
      summary,
      servers: [{ $ref: "#/servers/gateway" }],
      messages: { [id]: { $ref: `#/components/messages/${id}` } },
    };
    operations![`${action}.${id}`] = {
      ...{ action, summary, channel: { $ref: `#/channels/${id}` } },
      messages: [{ $ref: `#/channels/${id}/messages/${id}` }],
      bindings: { mqtt: { qos, ...(action === "send" && { retain }), bindingVersion: "0.2.0" } },
    };
  }
  const login = { type: "userPassword", description: users.map(({ name }) => name).join(", ") || "of the broker" };
  return {
    asyncapi: "3.0.0",
    info: {
      title: `MQTT at ${node.name}`,
      version: "1.0.0",
      description: `What the gateway "${node.name}" of "${tenant.name}" says of its ${devices.length} devices, and hears.`,
    },
    defaultContentType: json,
    servers: { gateway: { ...serverOf(broker?.url), ...(needsLogin && { security: [securityRef] }) } },
    channels: channels!,
    operations: operations!,
    components: { messages: messages!, schemas: schemas!, ...(needsLogin && { securitySchemes: { login } }) },
  };
}

const securityRef = { $ref: "#/components/securitySchemes/login" };

function serverOf(url: string | undefined): Objects {
  if (url === undefined) {
    const description = "the gateway's own broker: at its address instead, where it listens to others";
    return { host: "127.0.0.1:1883", protocol: "mqtt", protocolVersion: "5", description };
  }
  const { host, protocol } = new URL(url);
  return { host, protocol: protocol === "mqtts:" ? "secure-mqtt" : "mqtt", protocolVersion: "3.1.1" };
}

function* allSaid(site: Site): Generator<Said> {
  const { tenant, node, devices } = site;
  const { formats, retain, sparkplug } = node.mqtt ?? defaultMqtt;
  const group = sparkplug.group ?? tenant.name;
  const data = { action: "send", qos: 0, retain, contentType: json } as const;
  for (const device of devices) {
    const { name, properties } = device;
    const readable = { ...device, properties: properties.filter(({ access }) => access !== "write") };
    const of = (format: string) => ({ ...data, id: `${name}.${format}`, summary: `${name}, ${format}` });
    if (formats.includes("flat")) {
      yield { ...of("flat"), address: flatDataTopic(tenant.name, name), payload: flatSchema(readable.properties) };
    }
    if (formats.includes("kubeedge")) {
      yield { ...of("kubeedge"), address: kubeEdgeDataTopic(tenant.name, name), payload: kubeEdgeSchema(readable) };
    }
    if (formats.includes("tags")) {
      yield { ...of("tags"), address: tagsDataTopic(tenant.name, name), payload: tagsSchema(readable) };
    }
    for (const [i, { topic, qos, properties: named }] of planTopics(tenant.name, device).groups.entries()) {
      const own = readable.properties.filter((property) => named.has(property.name));
      yield { ...of(`topic-${i + 1}`), address: topic, qos, payload: flatSchema(own) };
    }
  }
  if (formats.includes("sparkplug"))
    yield* sparkplugSaid({ group, node: node.name, devices, writes: sparkplug.writes });
}

function* sparkplugSaid(site: {
  readonly group: string;
  readonly node: string;
  readonly devices: readonly EffectiveDevice[];
  readonly writes: boolean;
}): Generator<Said> {
  const { group, node } = site;
  const one = (type: SparkplugType, device: EffectiveDevice | null, metrics: readonly Json[]): Said => ({
    ...{
      id: `${device?.name ?? node}.${type}`,
      address: sparkplugTopic(type, { group, node, device: device?.name ?? null }),
    },
    ...{ action: type.endsWith("CMD") ? "receive" : "send", qos: type === "NDEATH" ? 1 : 0, retain: false },
    ...{ summary: `${device?.name ?? node}, Sparkplug B ${type}`, contentType: "application/x-protobuf" },
    payload: { type: "string", format: "binary", description: "Payload of sparkplug_b.proto", "x-metrics": metrics },
  });
  const rebirth = { name: "Node Control/Rebirth", datatype: sparkplugDatatypes.bool };
  const bdSeq = { name: "bdSeq", datatype: sparkplugDatatypes.int64 };
  yield one("NBIRTH", null, [bdSeq, rebirth]);
  yield one("NDEATH", null, [bdSeq]);
  yield one("NCMD", null, [rebirth]);
  for (const device of site.devices) {
    const metricOf = ({ name, type, unit }: EffectiveDevice["properties"][number]) => {
      return { name, datatype: sparkplugDatatypes[type], ...(unit !== null && { engUnit: unit }) };
    };
    const metrics = device.properties.map(metricOf);
    yield one("DBIRTH", device, metrics);
    yield one("DDATA", device, metrics);
    yield one("DDEATH", device, []);
    const settable = device.properties.filter(({ localWrites }) => localWrites !== "refuse");
    if (site.writes && settable.length > 0) yield one("DCMD", device, settable.map(metricOf));
  }
}
