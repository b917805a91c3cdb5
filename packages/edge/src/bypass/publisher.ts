import { type EffectiveDevice, type EffectiveMqtt, hexId, type ReadingBatch } from "@penstock/model";
import type { Log, Random } from "@penstock/runtime";
import {
  encodeFlatData,
  encodeKubeEdgeData,
  encodeTags,
  flatDataTopic,
  kubeEdgeDataTopic,
  planTopics,
  type TopicPlan,
  tagsDataTopic,
} from "@penstock/wire";
import type { BrokerMessage } from "./broker.ts";

/** A device and the name of its tenant, as topics name them. */
export interface NamedDevice {
  readonly tenant: string;
  readonly device: EffectiveDevice;
}
type Settings = Pick<EffectiveMqtt, "formats" | "retain">;

/** What a cycle becomes in each form that stands for itself; Sparkplug has a memory, and a class of its own. */
export class Publisher {
  readonly #options: { readonly random: Random; readonly log: Log };
  /** a described device never changes: an edit makes a new one */
  readonly #plans = new WeakMap<EffectiveDevice, TopicPlan>();
  readonly #units = new WeakMap<EffectiveDevice, ReadonlyMap<string, string>>();
  /** what the broker keeps for late subscribers */
  readonly #kept = new Set<string>();

  constructor(options: { readonly random: Random; readonly log: Log }) {
    this.#options = options;
  }

  messages({ tenant, device }: NamedDevice, batch: ReadingBatch, { formats, retain }: Settings): BrokerMessage[] {
    const messages: BrokerMessage[] = [];
    const add = (topic: string, qos: 0 | 1, payload: Uint8Array | null) => {
      if (payload === null) return;
      messages.push({ topic, qos, payload, retain });
      if (retain) this.#kept.add(topic);
    };
    for (const format of formats) {
      switch (format) {
        case "kubeedge":
          add(kubeEdgeDataTopic(tenant, device.name), 0, encodeKubeEdgeData(batch, this.#eventId()));
          break;
        case "flat":
          add(flatDataTopic(tenant, device.name), 0, encodeFlatData(batch));
          break;
        case "tags":
          add(tagsDataTopic(tenant, device.name), 0, encodeTags(batch, this.#unitsOf(device)));
          break;
      }
    }
    for (const { topic, qos, properties } of this.#plan(tenant, device).groups) {
      add(topic, qos, encodeFlatData(batch, properties));
    }
    return messages;
  }

  /** Empty messages for topics that nothing is published to any more: nobody shall take an old value for a new one. */
  forgotten(devices: readonly NamedDevice[], { formats, retain }: Settings): BrokerMessage[] {
    if (this.#kept.size === 0) return [];
    const wanted = new Set(retain ? devices.flatMap((one) => this.#topics(one, formats)) : []);
    const gone = [...this.#kept].filter((topic) => !wanted.has(topic));
    for (const topic of gone) this.#kept.delete(topic);
    return gone.map((topic) => ({ topic, qos: 0, payload: new Uint8Array(), retain: true }));
  }

  #topics({ tenant, device }: NamedDevice, formats: Settings["formats"]): string[] {
    const topicOf = { kubeedge: kubeEdgeDataTopic, flat: flatDataTopic, tags: tagsDataTopic };
    return [
      ...formats.flatMap((format) => (format === "sparkplug" ? [] : [topicOf[format](tenant, device.name)])),
      ...this.#plan(tenant, device).groups.map(({ topic }) => topic),
    ];
  }

  #plan(tenant: string, device: EffectiveDevice): TopicPlan {
    let plan = this.#plans.get(device);
    if (plan === undefined) {
      plan = planTopics(tenant, device);
      this.#plans.set(device, plan);
      const { log } = this.#options;
      // Once per edit, not once per cycle.
      for (const { property, template } of plan.broken) {
        log.warn({ device: device.name, property, template }, "Cannot publish: the template gives no valid MQTT topic");
      }
    }
    return plan;
  }

  #unitsOf(device: EffectiveDevice): ReadonlyMap<string, string> {
    let units = this.#units.get(device);
    if (units === undefined) {
      units = new Map(device.properties.flatMap(({ name, unit }) => (unit === null ? [] : [[name, unit]])));
      this.#units.set(device, units);
    }
    return units;
  }

  #eventId(): string {
    return hexId(this.#options.random.bytes(16));
  }
}
