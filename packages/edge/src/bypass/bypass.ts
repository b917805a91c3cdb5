import {
  AppError,
  type AssignedSet,
  type BusConsumer,
  type DeviceUid,
  defaultMqtt,
  type EffectiveDevice,
  type EffectiveMqtt,
  type ListenAtBroker,
  type LocalTwin,
  type MqttBroker,
  type ReadingBatch,
  sameData,
  traceId,
} from "@penstock/model";
import type { Cancel, Clock, Log, Metrics, Random } from "@penstock/runtime";
import { type EmbeddedBroker, openAedesBroker } from "./aedes-broker.ts";
import type { Broker, BrokerAddress, BrokerMessage, BrokerUse } from "./broker.ts";
import { type BrokerLimits, defaultBrokerLimits } from "./broker-limits.ts";
import { ClientAccess } from "./client-access.ts";
import { HeardMessages } from "./heard-messages.ts";
import { Publisher } from "./publisher.ts";
import { SparkplugNode } from "./sparkplug-node.ts";
import { sparkplugWrites } from "./sparkplug-writes.ts";
import { withCertificates } from "./with-certificates.ts";

const file = "edge/src/bypass/bypass.ts";
/** batches that may wait; the oldest go first, since applications at the edge want the present */
const bound = 256;
/** births of a whole gateway are many bytes: whoever asks again and again gets them so often */
const betweenBirthsMs = 1000;

/** What of an assigned set the bypass looks at. */
export type BypassSite = Pick<AssignedSet, "tenant" | "node" | "devices">;
export interface BypassOptions {
  /** of the embedded broker; loopback unless told otherwise */
  readonly host?: string;
  /** of the embedded broker; default 1883; 0 = any free one */
  readonly port?: number;
  /** instead of the embedded one, whatever the node's settings say */
  readonly broker?: MqttBroker | null;
  /** null before the first assignment */
  readonly site: BypassSite | null;
  /** takes values that Sparkplug hosts set, where the node's settings let them; none: nobody sets any */
  readonly twin?: Pick<LocalTwin, "setLocally">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits?: Partial<BrokerLimits>;
}
export interface Bypass {
  readonly consumer: BusConsumer;
  /** of the broker, ours or another program's */
  readonly address: BrokerAddress;
  /** Takes what is assigned now. Resolves when it counts. @throws AppError port/in-use */
  apply(site: BypassSite): Promise<void>;
  /**
   * Another stage's message, in order after what was published before. Resolves when the broker has it.
   *
   * @throws AppError bypass/broker-away while another program's broker cannot be reached
   */
  publish(message: Pick<BrokerMessage, "topic" | "payload" | "qos" | "retain">): Promise<void>;
  /** For another stage: what anybody publishes, also after the broker has been changed for another. */
  readonly subscribe: ListenAtBroker;
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
  const bypass = new RunningBypass(options);
  await bypass.open();
  return {
    consumer: { name: "bypass", bound, policy: "drop-oldest", take: (batch) => bypass.take(batch) },
    get address() {
      return bypass.address;
    },
    apply: (site) => bypass.apply(site),
    publish: (message) => bypass.publish(message),
    subscribe: (filter, take) => bypass.subscribe(filter, take),
    close: () => bypass.close(),
  };
}

class RunningBypass {
  readonly #options: BypassOptions;
  readonly #publisher: Publisher;
  readonly #access: ClientAccess;
  #site: BypassSite | null;
  #devices = new Map<DeviceUid, EffectiveDevice>();
  #sparkplug: SparkplugNode | null = null;
  /** what the broker and the Sparkplug node in use were made of */
  #made: ReturnType<RunningBypass["wanted"]> | null = null;
  #broker: Broker | null = null;
  /** of the two the one in use, when it is ours */
  #embedded: EmbeddedBroker | null = null;
  /** stages that listen, and what ends it at the broker in use */
  readonly #heard = new Map<HeardMessages, () => void>();
  #port: number;
  #address: BrokerAddress = { host: "", port: 0 };
  /** One thing after the other: numbers of Sparkplug messages are given in the order in which they go out. */
  #last: Promise<void> = Promise.resolve();
  #birthsAt: number | null = null;
  #rebirth: Cancel | null = null;

  constructor(options: BypassOptions) {
    this.#options = options;
    this.#site = options.site;
    this.#port = options.port ?? 1883;
    this.#publisher = new Publisher(options);
    this.#access = new ClientAccess(this.#mqtt, options.random.bytes(32));
    this.#index();
  }

  get address(): BrokerAddress {
    return this.#address;
  }

  async open(): Promise<void> {
    await this.#turn(() => this.#open());
  }

  take(batch: ReadingBatch): Promise<void> {
    return this.#turn(async () => {
      const { log, metrics } = this.#options;
      const device = this.#devices.get(batch.layout.device);
      if (device === undefined || this.#site === null) {
        metrics.counter("penstock_bypass_unknown_device_total", "Batches of devices no longer at this gateway").add();
        return;
      }
      const mqtt = this.#mqtt;
      // What is kept for late subscribers is published though nobody listens.
      const isWanted = this.#broker?.hasClients === true || mqtt.retain;
      const named = { tenant: this.#site.tenant.name, device };
      const messages = isWanted ? this.#publisher.messages(named, batch, mqtt) : [];
      messages.push(...this.#told(this.#sparkplug?.data(batch, device.name)));
      await this.#send(messages);
      if (messages.length > 0) {
        metrics.counter("penstock_bypass_messages_total", "Messages handed to the broker").add(messages.length);
      }
      if (log.tracing) log.trace({ file, id: traceId(batch), messages: messages.length }, "Published at the edge");
    });
  }

  async publish(message: Pick<BrokerMessage, "topic" | "payload" | "qos" | "retain">): Promise<void> {
    let delivered: Promise<void> = Promise.resolve();
    await this.#turn(async () => {
      // Begun in its turn; what is collected does not wait for its end.
      if (this.#broker === null)
        delivered = Promise.reject(new AppError("bypass/broker-away", "Cannot publish: there is no broker"));
      else delivered = this.#broker.deliver(message);
      delivered.catch(() => {});
    });
    await delivered;
  }

  subscribe(...[filter, take]: Parameters<ListenAtBroker>): ReturnType<ListenAtBroker> {
    const { metrics, log } = this.#options;
    const heard = new HeardMessages({ filter, take, limits: this.#limits, metrics, log });
    this.#heard.set(heard, this.#broker?.listen(heard) ?? (() => {}));
    return {
      close: async () => {
        heard.close();
        this.#heard.get(heard)?.();
        this.#heard.delete(heard);
      },
    };
  }

  apply(site: BypassSite): Promise<void> {
    return this.#turn(async () => {
      this.#site = site;
      this.#index();
      const isChanged = this.#access.set(this.#mqtt);
      const wanted = this.wanted();
      if (sameData(wanted, this.#made)) {
        this.#embedded?.accessChanged(isChanged);
        await this.#send(this.#told(this.#sparkplug?.setDevices(site.devices)));
      } else {
        const isSameBroker = sameData(wanted.broker, this.#made?.broker) && this.#embedded !== null;
        await (isSameBroker ? this.#sparkplugChanged() : this.#reopen());
        this.#embedded?.accessChanged(isChanged);
      }
      const named = site.devices.map((device) => ({ tenant: site.tenant.name, device }));
      await this.#send(this.#publisher.forgotten(named, this.#mqtt));
    });
  }

  close(): Promise<void> {
    this.#rebirth?.();
    return this.#turn(async () => {
      await this.#broker?.close();
      this.#broker = null;
    });
  }

  /** What makes another broker, or another Sparkplug node, necessary. */
  wanted() {
    const { formats, sparkplug, broker } = this.#mqtt;
    const isSparkplug = formats.includes("sparkplug") && this.#site !== null;
    const group = sparkplug.group ?? this.#site?.tenant.name ?? "";
    return {
      broker: this.#options.broker ?? broker,
      sparkplug: isSparkplug ? { group, node: this.#site?.node.name ?? "" } : null,
    };
  }

  get #limits(): BrokerLimits {
    return { ...defaultBrokerLimits, ...this.#options.limits };
  }

  get #mqtt(): EffectiveMqtt {
    return this.#site?.node.mqtt ?? defaultMqtt;
  }

  #index(): void {
    this.#devices = new Map(this.#site?.devices.map((device) => [device.uid, device]));
  }

  /** Never two at a time; one that fails does not stop the next. */
  #turn(run: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(run);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #send(messages: readonly BrokerMessage[]): Promise<void> {
    for (const message of messages) await this.#broker?.publish(message);
  }

  async #open(): Promise<void> {
    const { clock, random, log, metrics } = this.#options;
    const wanted = this.wanted();
    this.#sparkplug = this.#newSparkplug();
    const limits = this.#limits;
    if (wanted.broker !== null) {
      const name = this.#site === null ? null : `${this.#site.tenant.name}-${this.#site.node.name}`;
      const clientId = `penstock-${name ?? Buffer.from(random.bytes(8)).toString("hex")}`;
      // Its client takes memory that a gateway with a broker of its own does not need.
      const { openForeignBroker } = await import("./foreign-broker.ts");
      this.#broker = openForeignBroker({
        ...{ broker: wanted.broker, clientId, use: this.#use() },
        ...{ limits, clock, log, metrics },
      });
    } else {
      const embedded = { ...this.#options, port: this.#port, access: this.#access, use: this.#use(), limits };
      this.#embedded = await openAedesBroker({ ...embedded, clock });
      this.#broker = this.#embedded;
      // Taken again when the broker is: clients know where it is.
      this.#port = this.#embedded.address.port;
    }
    for (const heard of this.#heard.keys()) this.#heard.set(heard, this.#broker.listen(heard));
    this.#address = this.#broker.address;
    this.#made = wanted;
  }

  async #reopen(): Promise<void> {
    const before = this.#broker;
    [this.#broker, this.#embedded, this.#made] = [null, null, null];
    await before?.close();
    await this.#open();
  }

  /** The embedded broker stays: other applications are on it. */
  async #sparkplugChanged(): Promise<void> {
    if (this.#sparkplug !== null) await this.#send([this.#sparkplug.lastWords()]);
    this.#sparkplug = this.#newSparkplug();
    this.#sparkplug?.will();
    await this.#send(this.#births());
    this.#made = this.wanted();
  }

  #newSparkplug(): SparkplugNode | null {
    const { sparkplug } = this.wanted();
    if (sparkplug === null) return null;
    const node = new SparkplugNode({ ...sparkplug, clock: this.#options.clock });
    node.setDevices(this.#site?.devices ?? []);
    return node;
  }

  #births(): BrokerMessage[] {
    this.#birthsAt = this.#options.clock.monotonic();
    return this.#told(this.#sparkplug?.births());
  }

  /** What our own broker tells besides. */
  #told(messages: readonly BrokerMessage[] = []): BrokerMessage[] {
    return this.wanted().broker === null ? withCertificates(messages) : [...messages];
  }

  #use(): BrokerUse {
    const { broker, sparkplug } = this.wanted();
    const { group = "+", node = "+" } = sparkplug ?? {};
    const isListening = broker === null || sparkplug !== null;
    return {
      commands: isListening ? [`spBv1.0/${group}/NCMD/${node}`, `spBv1.0/${group}/DCMD/${node}/+`] : [],
      command: (topic, payload) => this.#command(topic, payload),
      will: () => this.#sparkplug?.will() ?? null,
      greeting: () => this.#births(),
      lastWords: () => this.#sparkplug?.lastWords() ?? null,
    };
  }

  #command(topic: string, payload: Uint8Array): void {
    const asked = this.#sparkplug?.command(topic, payload);
    if (asked === undefined) return;
    const { twin, metrics, log } = this.#options;
    const take = this.#mqtt.sparkplug.writes && twin !== undefined ? sparkplugWrites({ twin, log }) : () => false;
    const refused = asked.refused + asked.writes.filter((write) => !take(write)).length;
    const help = "Requests of local clients that were refused";
    if (refused > 0) metrics.counter("penstock_bypass_refused_total", help, { reason: "command" }).add(refused);
    if (asked.rebirth) this.#bearAgain();
  }

  #bearAgain(): void {
    if (this.#rebirth !== null) return;
    const { clock } = this.#options;
    const sinceMs = this.#birthsAt === null ? betweenBirthsMs : (clock.monotonic() - this.#birthsAt) / 1000;
    this.#rebirth = clock.after(Math.max(0, betweenBirthsMs - sinceMs), () => {
      this.#rebirth = null;
      void this.#turn(() => this.#send(this.#births())).catch(() => {});
    });
  }
}
