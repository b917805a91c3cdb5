import { AppError, type MqttBroker } from "@penstock/model";
import type { Clock, Log, Metrics } from "@penstock/runtime";
import { connect, type MqttClient } from "mqtt";
import type { Broker, BrokerAddress, BrokerListener, BrokerMessage, BrokerUse } from "./broker.ts";
import type { BrokerLimits } from "./broker-limits.ts";
import { listenAtForeign } from "./foreign-listener.ts";

export interface ForeignBrokerOptions {
  readonly broker: MqttBroker;
  /** the same at each connection, so that the broker ends what is left of the one before */
  readonly clientId: string;
  readonly use: BrokerUse;
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** messages handed to the connection whose end is not known yet */
const window = 64;
const betweenTriesMs = 1000;
const connectTimeoutMs = 10_000;
const closeMs = 2000;

/**
 * Another program's broker, which this gateway is a client of. While it is away messages wait, the oldest go first when
 * there are too many, and each that goes is counted; what is of no use later does not wait. Who may come in and do what
 * is that broker's own affair.
 */
export function openForeignBroker(options: ForeignBrokerOptions): Broker {
  return new ForeignBroker(options);
}

/** A message, and who waits for its end. */
interface Queued extends BrokerMessage {
  /** @param error  null: the broker has it */
  readonly ended?: (error: AppError | null) => void;
}

class ForeignBroker implements Broker {
  readonly address: BrokerAddress;
  readonly hasClients = true;
  readonly #options: ForeignBrokerOptions;
  readonly #client: MqttClient;
  readonly #listening = new Set<() => void>();
  #queue: Queued[] = [];
  #queuedBytes = 0;
  /** handed to the connection; somebody waits for their end */
  readonly #awaited = new Set<Queued>();
  #inFlight = 0;
  /** counts connections: what ends late belongs to one that is over */
  #connection = 0;
  #isUp = false;
  #lastTrouble = "";

  constructor(options: ForeignBrokerOptions) {
    this.#options = options;
    const { broker, clientId } = options;
    const url = new URL(broker.url);
    const isTls = url.protocol === "mqtts:";
    this.address = { host: url.hostname, port: Number(url.port || (isTls ? 8883 : 1883)) };
    this.#client = connect(broker.url, {
      ...{ clientId, clean: true, protocolVersion: 4, queueQoSZero: false, resubscribe: false },
      ...{ reconnectPeriod: betweenTriesMs, connectTimeout: connectTimeoutMs, keepalive: 30 },
      ...(broker.user !== null && { username: broker.user }),
      ...(broker.password !== null && { password: broker.password }),
      ...willOf(options.use),
    });
    this.#client.on("connect", () => this.#up());
    this.#client.on("close", () => this.#down());
    this.#client.on("error", (error) => this.#trouble(error.message || String(error)));
    this.#client.on("message", (topic, payload) => options.use.command(topic, payload));
    this.#showState();
  }

  async publish(message: BrokerMessage): Promise<void> {
    if (message.isOfNow === true && !this.#isUp) this.#drop([message], "away");
    else this.#push(message);
  }

  deliver(message: BrokerMessage): Promise<void> {
    if (!this.#isUp) return Promise.reject(awayError("it cannot be reached"));
    return new Promise((resolve, reject) => {
      this.#push({ ...message, ended: (error) => (error === null ? resolve() : reject(error)) });
    });
  }

  listen(listener: BrokerListener): () => void {
    const { broker, clientId, log } = this.#options;
    const told = (message: string) =>
      log.warn(
        { broker: broker.url, filter: listener.filter, message },
        "Cannot listen at the MQTT broker; trying again",
      );
    const end = listenAtForeign({ broker, clientId, listener, log: told });
    this.#listening.add(end);
    return () => {
      this.#listening.delete(end);
      end();
    };
  }

  close(): Promise<void> {
    for (const end of this.#listening) end();
    const last = this.#options.use.lastWords();
    this.#drop(this.#queue, "closed");
    this.#queue = [];
    return new Promise((resolve) => {
      // One that does not answer is left, and says the will.
      const cancel = this.#options.clock.after(closeMs, () => this.#client.end(true, {}, () => resolve()));
      const said = last !== null && this.#isUp ? this.#send(last) : Promise.resolve();
      void said.then(() =>
        this.#client.end(!this.#isUp, {}, () => {
          cancel();
          resolve();
        }),
      );
    });
  }

  #up(): void {
    const { use, log } = this.#options;
    this.#isUp = true;
    this.#connection += 1;
    this.#lastTrouble = "";
    this.#showState();
    log.info({ broker: this.#options.broker.url }, "Connected to the MQTT broker");
    for (const filter of use.commands) this.#client.subscribe(filter, { qos: 1 });
    const greeting = use.greeting();
    this.#queue.unshift(...greeting);
    for (const message of greeting) this.#queuedBytes += bytesOf(message);
    this.#pump();
  }

  #down(): void {
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#inFlight = 0;
    this.#connection += 1;
    if (!wasUp) return;
    this.#showState();
    // Who waits for the end of a message keeps it, and comes again; what was under way may arrive twice.
    for (const { ended } of this.#awaited) ended?.(awayError("the connection ended"));
    this.#awaited.clear();
    const isKept = ({ isOfNow, ended }: Queued) => isOfNow !== true && ended === undefined;
    const stays = this.#queue.filter(isKept);
    this.#drop(
      this.#queue.filter((one) => !isKept(one)),
      "away",
    );
    this.#queue = stays;
    this.#queuedBytes = stays.reduce((sum, message) => sum + bytesOf(message), 0);
    // The will that was left has been said, or will be; the next connection has another.
    Object.assign(this.#client.options, willOf(this.#options.use));
    this.#trouble("the connection ended");
  }

  #push(message: Queued): void {
    const { queuedMessages, queuedBytes } = this.#options.limits;
    this.#queue.push(message);
    this.#queuedBytes += bytesOf(message);
    // The bound: the oldest go, applications want the present.
    let over = 0;
    while (this.#queue.length - over > queuedMessages || this.#queuedBytes > queuedBytes) {
      this.#queuedBytes -= bytesOf(this.#queue[over++]!);
    }
    if (over > 0) this.#drop(this.#queue.splice(0, over), this.#isUp ? "slow-broker" : "away");
    this.#pump();
  }

  #pump(): void {
    while (this.#isUp && this.#inFlight < window) {
      const message = this.#queue.shift();
      if (message === undefined) return;
      this.#queuedBytes -= bytesOf(message);
      this.#inFlight += 1;
      const connection = this.#connection;
      void this.#send(message).then(() => {
        if (connection !== this.#connection) return;
        this.#inFlight -= 1;
        this.#pump();
      });
    }
  }

  /** Resolves when the broker has it, or the connection took it (QoS 0), or is over. */
  #send(message: Queued): Promise<void> {
    const { topic, payload, qos, retain } = message;
    if (message.ended !== undefined) this.#awaited.add(message);
    return new Promise((resolve) => {
      this.#client.publish(topic, Buffer.from(payload), { qos, retain }, (error) => {
        this.#awaited.delete(message);
        if (error != null) this.#drop([message], "connection");
        else message.ended?.(null);
        resolve();
      });
    });
  }

  #trouble(message: string): void {
    if (message === this.#lastTrouble) return;
    this.#lastTrouble = message;
    this.#options.log.warn({ broker: this.#options.broker.url, message }, "The MQTT broker is away; trying again");
  }

  /** Counts those that nobody keeps. */
  #drop(messages: readonly Queued[], reason: string): void {
    const lost = messages.filter(({ ended }) => ended === undefined).length;
    const help = "Messages not given to a local client";
    if (lost > 0) this.#options.metrics.counter("penstock_bypass_dropped_total", help, { reason }).add(lost);
    for (const { ended } of messages) ended?.(awayError("the connection ended or cannot keep up"));
  }

  #showState(): void {
    const connectedHelp = "1 while the broker that was chosen instead of the embedded one is connected";
    this.#options.metrics.gauge("penstock_bypass_broker_connected", connectedHelp).set(this.#isUp ? 1 : 0);
  }
}

function willOf(use: BrokerUse) {
  const will = use.will();
  if (will === null) return {};
  const { topic, payload, qos, retain } = will;
  return { will: { topic, payload: Buffer.from(payload), qos, retain } };
}

function bytesOf({ topic, payload }: BrokerMessage): number {
  return payload.length + topic.length * 3;
}

function awayError(reason: string): AppError {
  return new AppError(
    "bypass/broker-away",
    `Cannot publish at the MQTT broker that was chosen for the gateway: ${reason}`,
  );
}
