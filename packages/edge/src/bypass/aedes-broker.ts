import { createServer, type Server, type Socket } from "node:net";
import { AppError, hexId } from "@penstock/model";
import type { Clock, Log, Metrics, Random } from "@penstock/runtime";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import type { Broker, BrokerAddress, BrokerMessage } from "./broker.ts";
import { type BrokerLimits, defaultBrokerLimits } from "./broker-limits.ts";
import { ClientQueue } from "./client-queue.ts";

export interface AedesBrokerOptions {
  /** loopback unless told otherwise */
  readonly host?: string;
  /** 0 = any free one */
  readonly port: number;
  readonly limits?: Partial<BrokerLimits>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** CONNACK return codes. @source MQTT 3.1.1, table 3.1; aedes turns them into the reason codes of MQTT 5, 3.2.2.2 */
const identifierRejected = 2;
const serverUnavailable = 3;
const notAuthorized = 5;
/** @source MQTT 5.0, 3.14.2.1 */
const reasonNotAuthorized = 0x87;
const connectTimeoutMs = 10_000;
/** connections that have not said CONNECT yet, besides the clients */
const connectionsBesides = 64;

/**
 * The embedded broker: MQTT 3.1.1 and 5 over TCP. Whoever reaches the port may subscribe, nobody may publish, leave a
 * will or keep a session: a session would hold messages for a client that may never come back.
 *
 * @throws AppError port/in-use
 */
export async function openAedesBroker(options: AedesBrokerOptions): Promise<Broker> {
  const broker = new AedesBroker(options);
  await broker.open();
  return broker;
}

class AedesBroker implements Broker {
  readonly #options: AedesBrokerOptions;
  readonly #limits: BrokerLimits;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #queues = new Map<Client, ClientQueue>();
  /** why a CONNECT that was read will be refused */
  readonly #refusals = new WeakMap<Client, AuthenticateError>();
  #address: BrokerAddress = { host: "", port: 0 };

  constructor(options: AedesBrokerOptions) {
    this.#options = options;
    this.#limits = { ...defaultBrokerLimits, ...options.limits };
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = this.#limits.clients + connectionsBesides;
    this.#aedes = new Aedes({
      id: hexId(options.random.bytes(16)),
      maximumPacketSize: this.#limits.packetBytes,
      maxClientsIdLength: this.#limits.clientIdBytes,
      connectTimeout: connectTimeoutMs,
      preConnect: (client, packet, done) => {
        const refusal = this.#refusalOf(packet);
        if (refusal !== null) this.#refusals.set(client, refusal);
        // No session outlives its connection, whatever the client asks for; its CONNACK says "session present: 0".
        packet.clean = true;
        if (packet.properties !== undefined) delete packet.properties.sessionExpiryInterval;
        done(null, true);
      },
      authenticate: (client, _username, _password, done) => {
        const refusal = this.#refusals.get(client) ?? null;
        if (refusal !== null) this.#count("refused", "connect");
        done(refusal, refusal === null);
      },
      authorizePublish: (client, packet, done) => {
        this.#count("refused", "publish");
        // MQTT 5 has no answer to a QoS 0 publish, so the client learns it from the DISCONNECT.
        if (client?.version === 5 && packet.qos === 0) client.disconnect({ reasonCode: reasonNotAuthorized });
        done(new AppError("bypass/publish-refused", "Cannot publish: a client without a login may only subscribe"));
      },
      authorizeSubscribe: (client, subscription, done) => {
        const { topic } = subscription;
        // The broker's own topics name other clients.
        const isRefused = topic.startsWith("$SYS") || isTooLong(topic, this.#limits.topicBytes) || this.#isFull(client);
        if (isRefused) this.#count("refused", "subscribe");
        done(null, isRefused ? null : subscription);
      },
      authorizeForward: (client, packet) => {
        const { payload, topic } = packet;
        return this.#mayForward(client, payload.length + topic.length * 3) ? packet : null;
      },
    });
    this.#aedes.on("client", (client) => this.#note("joined", client));
    this.#aedes.on("clientDisconnect", (client) => this.#note("left", client));
    this.#aedes.on("clientError", (client, error) => this.#note(error.message, client));
    this.#aedes.on("connectionError", (client, error) => this.#note(error.message, client));
  }

  get address(): BrokerAddress {
    return this.#address;
  }
  get hasClients(): boolean {
    return this.#aedes.connectedClients > 0;
  }

  async open(): Promise<void> {
    const { host = "127.0.0.1", port } = this.#options;
    await this.#aedes.listen();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen({ host, port }, resolve);
      });
    } catch (error) {
      await this.#closeAedes();
      throw listenError(error, `${host}:${port}`);
    }
    this.#server.removeAllListeners("error");
    this.#server.on("error", (error) => this.#options.log.error({ error }, "The MQTT port failed"));
    const bound = this.#server.address();
    if (bound !== null && typeof bound !== "string") this.#address = { host: bound.address, port: bound.port };
  }

  publish({ topic, payload, qos }: BrokerMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const packet = { cmd: "publish", topic, payload: Buffer.from(payload), qos, retain: false, dup: false } as const;
      this.#aedes.publish(packet, (error) => (error instanceof Error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#closeAedes();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #closeAedes(): Promise<void> {
    return new Promise((resolve) => this.#aedes.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    const queue = new ClientQueue(socket, this.#limits);
    const client = this.#aedes.handle(socket);
    this.#queues.set(client, queue);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#queues.delete(client);
    });
  }

  #refusalOf(packet: { readonly clientId: string; readonly will?: unknown }): AuthenticateError | null {
    if (packet.will !== undefined)
      return refusal(notAuthorized, "Cannot leave a will: a client without a login may not publish");
    if (isTooLong(packet.clientId, this.#limits.clientIdBytes)) {
      return refusal(identifierRejected, `Cannot take a client id of more than ${this.#limits.clientIdBytes} bytes`);
    }
    if (this.#aedes.connectedClients < this.#limits.clients) return null;
    return refusal(serverUnavailable, `Cannot take more than ${this.#limits.clients} clients`);
  }

  #isFull(client: Client): boolean {
    // aedes keeps it on the client, but its types leave it out.
    const { subscriptions } = client as Client & { readonly subscriptions: Readonly<Record<string, unknown>> };
    return Object.keys(subscriptions).length >= this.#limits.subscriptions;
  }

  #mayForward(client: Client, bytes: number): boolean {
    // MQTT 5.0, 3.1.2.11.4: a server must not send more than the client said it can take.
    if (client.maximumPacketSize !== undefined && bytes + 16 > client.maximumPacketSize) {
      this.#count("dropped", "too-large");
      return false;
    }
    const share = Math.floor(this.#limits.queuedBytesInAll / Math.max(1, this.#aedes.connectedClients));
    const answer = this.#queues.get(client)?.accept(bytes, share, this.#options.clock.monotonic()) ?? "full";
    if (answer === "taken") return true;
    this.#count("dropped", "slow-client");
    if (answer === "stalled") {
      this.#note("has taken nothing for too long", client);
      client.conn.destroy();
    }
    return false;
  }

  #count(what: "refused" | "dropped", reason: string): void {
    const help = {
      refused: "Requests of local clients that were refused",
      dropped: "Messages not given to a local client",
    };
    this.#options.metrics.counter(`penstock_bypass_${what}_total`, help[what], { reason }).add();
  }

  #note(what: string, client: Client): void {
    const { log, metrics } = this.#options;
    metrics.gauge("penstock_bypass_clients", "Local clients of the broker").set(this.#aedes.connectedClients);
    log.debug({ client: client.id, what }, "Local MQTT client");
  }
}

function isTooLong(text: string, bytes: number): boolean {
  return Buffer.byteLength(text) > bytes;
}

function refusal(returnCode: number, message: string): AuthenticateError {
  return Object.assign(new Error(message), { returnCode });
}

function listenError(cause: unknown, where: string): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== "EADDRINUSE") return cause;
  const message = `Cannot listen for MQTT on ${where}: another program uses the port; stop it, or choose another port (0 = any free one)`;
  return new AppError("port/in-use", message, { cause });
}
