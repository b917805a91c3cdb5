import type { EffectiveDevice } from "@penstock/model";

/** The properties of a device that go to one topic of their own. */
export interface TopicGroup {
  readonly topic: string;
  readonly qos: 0 | 1;
  readonly properties: ReadonlySet<string>;
}
export interface TopicPlan {
  readonly groups: readonly TopicGroup[];
  /** templates that give no topic one may publish to */
  readonly broken: readonly { readonly property: string; readonly template: string }[];
}

const placeholder = /\$\{([^}]*)\}/g;
const topicBytes = 512;

/**
 * Where the properties of a device are published besides the default topics: one group per distinct topic, with the
 * higher of its properties' qualities of service. Templates know ${tenant}, ${device} and ${property}.
 */
export function planTopics(tenant: string, device: EffectiveDevice): TopicPlan {
  const groups = new Map<string, { topic: string; qos: 0 | 1; properties: Set<string> }>();
  const broken: { property: string; template: string }[] = [];
  for (const { name, publish } of device.properties) {
    if (publish === null) continue;
    const topic = fill(publish.topic, { tenant, device: device.name, property: name });
    if (topic === null) {
      broken.push({ property: name, template: publish.topic });
      continue;
    }
    const group = groups.get(topic) ?? { topic, qos: 0, properties: new Set<string>() };
    group.properties.add(name);
    if (publish.qos === 1) group.qos = 1;
    groups.set(topic, group);
  }
  return { groups: [...groups.values()], broken };
}

function fill(template: string, names: Readonly<Record<string, string>>): string | null {
  let isKnown = true;
  const topic = template.replace(placeholder, (_, name: string) => {
    isKnown &&= Object.hasOwn(names, name);
    return names[name] ?? "";
  });
  // MQTT 3.1.1, 4.7.1 and 4.7.3: a topic name has no wildcards, no U+0000 and at least one character. $SYS is the broker's.
  const isTopic = topic.length > 0 && !/[#+\0]/.test(topic) && topic.isWellFormed() && !topic.startsWith("$SYS");
  return isKnown && isTopic && Buffer.byteLength(topic) <= topicBytes && levels(topic) <= 100 ? topic : null;
}

function levels(topic: string): number {
  return topic.split("/").length;
}
