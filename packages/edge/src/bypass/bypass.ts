import {
  type BusConsumer,
  type DeviceUid,
  type EffectiveDevice,
  type EffectiveMqtt,
  hexId,
  type ReadingBatch,
  traceId,
} from "@penstock/model";
import type { Clock, Log, Metrics, Random } from "@penstock/runtime";
import { encodeFlatData, encodeKubeEdgeData, flatDataTopic, kubeEdgeDataTopic } from "@penstock/wire";
import { openAedesBroker } from "./aedes-broker.ts";
import type { Broker, BrokerAddress, BrokerMessage } from "./broker.ts";
import type { BrokerLimits } from "./broker-limits.ts";
import { ClientAccess } from "./client-access.ts";
import { planTopics, type TopicPlan } from "./topics.ts";

const file = "edge/src/bypass/bypass.ts";
/** batches that may wait; the oldest go first, since applications at the edge want the present */
const bound = 256;

/** A device and the name of its tenant, as topics name them. */
export interface NamedDevice {
  readonly tenant: string;
  readonly device: EffectiveDevice;
}
export interface BypassOptions {
  /** loopback unless told otherwise */
  readonly host?: string;
  /** default 1883; 0 = any free one */
  readonly port?: number;
  readonly mqtt: EffectiveMqtt;
  /** null when the device is not, or no longer, at this gateway */
  lookup(device: DeviceUid): NamedDevice | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits?: Partial<BrokerLimits>;
}
export interface Bypass {
  /** takes other settings while it runs; resolves when they count */
  apply(mqtt: EffectiveMqtt): Promise<void>;
  readonly consumer: BusConsumer;
  readonly address: BrokerAddress;
  /** resolves when the port is free */
  close(): Promise<void>;
}

/**
 * The bypass stage: what is collected goes to applications at the edge over MQTT, one message per device, cycle and
 * topic. It needs nothing but the bus: not the cloud, not twin, not rules.
 *
 * @throws AppError port/in-use
 */
export async function openBypass(options: BypassOptions): Promise<Bypass> {
  const access = new ClientAccess(options.mqtt, options.random.bytes(32));
  const use = { commands: [], command: () => {}, greeting: () => [], lastWords: () => null };
  const broker = await openAedesBroker({ ...options, port: options.port ?? 1883, access, use });
  const publisher = new Publisher(options, broker);
  return {
    consumer: { name: "bypass", bound, policy: "drop-oldest", take: (batch) => publisher.take(batch) },
    async apply(mqtt) {
      broker.accessChanged(access.set(mqtt));
    },
    address: broker.address,
    close: () => broker.close(),
  };
}

class Publisher {
  readonly #options: BypassOptions;
  readonly #broker: Broker;
  /** a described device never changes: an edit makes a new one */
  readonly #plans = new WeakMap<EffectiveDevice, TopicPlan>();

  constructor(options: BypassOptions, broker: Broker) {
    this.#options = options;
    this.#broker = broker;
  }

  async take(batch: ReadingBatch): Promise<void> {
    const { log, lookup, metrics } = this.#options;
    const named = lookup(batch.layout.device);
    if (named === null) {
      metrics.counter("penstock_bypass_unknown_device_total", "Batches of devices no longer at this gateway").add();
      return;
    }
    const messages = this.#broker.hasClients ? this.#messages(named, batch) : [];
    for (const message of messages) await this.#broker.publish(message);
    if (messages.length > 0) {
      metrics.counter("penstock_bypass_messages_total", "Messages handed to the broker").add(messages.length);
    }
    if (log.tracing) log.trace({ file, id: traceId(batch), messages: messages.length }, "Published at the edge");
  }

  #messages({ tenant, device }: NamedDevice, batch: ReadingBatch): BrokerMessage[] {
    const messages: BrokerMessage[] = [];
    const add = (topic: string, qos: 0 | 1, payload: Uint8Array | null) => {
      if (payload !== null) messages.push({ topic, qos, payload, retain: false });
    };
    const eventId = hexId(this.#options.random.bytes(16));
    add(kubeEdgeDataTopic(tenant, device.name), 0, encodeKubeEdgeData(batch, eventId));
    add(flatDataTopic(tenant, device.name), 0, encodeFlatData(batch));
    for (const { topic, qos, properties } of this.#plan(tenant, device).groups) {
      add(topic, qos, encodeFlatData(batch, properties));
    }
    return messages;
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
}
