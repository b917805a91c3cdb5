import { createServer, type Server, type Socket } from "node:net";
import { AppError, hexId } from "@penstock/model";
import type { Cancel, Clock, Log, Metrics, Random } from "@penstock/runtime";
import { Aedes, type AuthenticateError, type Client, type ConnectPacket } from "aedes";
import type { Broker, BrokerAddress, BrokerListener, BrokerMessage, BrokerUse } from "./broker.ts";
import { type BrokerLimits, defaultBrokerLimits } from "./broker-limits.ts";
import type { ClientAccess, Login } from "./client-access.ts";
import { ClientInput } from "./client-input.ts";
import { ClientQueue } from "./client-queue.ts";
import { EmbeddedListeners } from "./embedded-listeners.ts";
import { InputPace } from "./input-pace.ts";
import { RetainedBound } from "./retained-bound.ts";

export interface AedesBrokerOptions {
  /** loopback unless told otherwise */
  readonly host?: string;
  /** 0 = any free one */
  readonly port: number;
  readonly limits?: Partial<BrokerLimits>;
  readonly access: ClientAccess;
  readonly use: BrokerUse;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** CONNACK return codes. @source MQTT 3.1.1, table 3.1; aedes turns them into the reason codes of MQTT 5, 3.2.2.2 */
const identifierRejected = 2;
const serverUnavailable = 3;
const badUserNameOrPassword = 4;
const notAuthorized = 5;
/** @source MQTT 5.0, 3.14.2.1 */
const reasonNotAuthorized = 0x87;
const connectTimeoutMs = 10_000;
/** who says a wrong password waits for the answer, so that guessing is slow; what waits is bounded by connections */
const wrongLoginMs = 1000;
/** connections that have not said CONNECT yet, besides the clients */
const connectionsBesides = 64;

/** The embedded broker can let others in while it runs. */
export interface EmbeddedBroker extends Broker {
  /** Who may no longer do what it came to do, by its login, is disconnected and may come again. */
  accessChanged(isChanged: (login: Login) => boolean): void;
}

/**
 * The embedded broker: MQTT 3.1.1 and 5 over TCP. Who may come in and do what `ClientAccess` says. Nobody keeps a session:
 * it would hold messages for a client that may never come back.
 *
 * @throws AppError port/in-use
 */
export async function openAedesBroker(options: AedesBrokerOptions): Promise<EmbeddedBroker> {
  const broker = new AedesBroker(options);
  await broker.open();
  return broker;
}

class AedesBroker implements EmbeddedBroker {
  readonly #options: AedesBrokerOptions;
  readonly #limits: BrokerLimits;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #queues = new Map<Client, ClientQueue>();
  readonly #logins = new WeakMap<Client, Login>();
  readonly #listeners: EmbeddedListeners;
  readonly #pace: InputPace;
  readonly #retained: RetainedBound;
  /** answers that are held back */
  readonly #waiting = new Set<Cancel>();
  /** why a CONNECT that was read will be refused */
  readonly #refusals = new WeakMap<Client, AuthenticateError>();
  #address: BrokerAddress = { host: "", port: 0 };

  constructor(options: AedesBrokerOptions) {
    this.#options = options;
    this.#limits = { ...defaultBrokerLimits, ...options.limits };
    this.#pace = new InputPace(this.#limits);
    this.#retained = new RetainedBound(this.#limits);
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
      authenticate: (client, username, password, done) => {
        const refused = this.#refusals.get(client);
        const login = refused === undefined ? options.access.enter(username, password) : undefined;
        if (login !== undefined) {
          this.#logins.set(client, login);
          return done(null, true);
        }
        this.#count("refused", "connect");
        if (refused !== undefined) return done(refused, false);
        const unnamed = refusal(notAuthorized, "Cannot come in without a login");
        const wrong = refusal(badUserNameOrPassword, "Cannot come in: the user or the password is wrong");
        this.#later(wrongLoginMs, () => done(username === undefined ? unnamed : wrong, false));
      },
      authorizePublish: (client, packet, done) => {
        const refused = client === null ? "publish" : this.#whyNotPublish(client, packet);
        if (client === null || refused !== null) {
          this.#count("refused", refused ?? "publish");
          // MQTT 5 has no answer to a QoS 0 publish, so the client learns it from the DISCONNECT.
          if (client?.version === 5 && packet.qos === 0) client.disconnect({ reasonCode: reasonNotAuthorized });
          return done(new AppError("bypass/publish-refused", whyRefused(this.#logins.get(client as Client) ?? null)));
        }
        this.#listeners.beforeAcknowledged(client, packet, done);
      },
      authorizeSubscribe: (client, subscription, done) => {
        const { topic } = subscription;
        const isAllowed = options.access.maySubscribe(this.#logins.get(client) ?? null, topic);
        const isRefused = !isAllowed || isTooLong(topic, this.#limits.topicBytes) || this.#isFull(client);
        if (isRefused) this.#count("refused", "subscribe");
        done(null, isRefused ? null : subscription);
      },
      authorizeForward: (client, packet) => {
        const { payload, topic } = packet;
        return this.#mayForward(client, payload.length + topic.length * 3) ? packet : null;
      },
    });
    this.#listeners = new EmbeddedListeners({ ...options, aedes: this.#aedes, heardMs: this.#limits.heardMs });
    this.#aedes.on("client", (client) => this.#note("joined", client));
    this.#aedes.on("clientDisconnect", (client) => this.#note("left", client));
    this.#aedes.on("clientError", (client, error) => this.#note(error.message, client));
    this.#aedes.on("connectionError", (client, error) => this.#note(error.message, client));
  }

  get address(): BrokerAddress {
    return this.#address;
  }
  get hasClients(): boolean {
    return this.#aedes.connectedClients > 0 || this.#listeners.size > 0;
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
    const { commands, command, greeting, will } = this.#options.use;
    for (const filter of commands) {
      const take = (packet: { topic: string; payload: string | Buffer }, done: () => void) => {
        command(packet.topic, Buffer.from(packet.payload));
        done();
      };
      await new Promise<void>((resolve) => this.#aedes.subscribe(filter, take, resolve));
    }
    // Whoever loses this broker loses the gateway: nobody is left to say its will.
    will();
    for (const message of greeting()) await this.publish(message);
  }

  accessChanged(isChanged: (login: Login) => boolean): void {
    for (const client of this.#queues.keys()) {
      const login = this.#logins.get(client);
      if (login === undefined || !isChanged(login)) continue;
      this.#note("has other rights now", client);
      if (client.version === 5) client.disconnect({ reasonCode: reasonNotAuthorized });
      else client.close();
    }
  }

  publish({ topic, payload, qos, retain }: BrokerMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const packet = { cmd: "publish", topic, payload: Buffer.from(payload), qos, retain, dup: false } as const;
      this.#aedes.publish(packet, (error) => (error instanceof Error ? reject(error) : resolve()));
    });
  }

  deliver(message: BrokerMessage): Promise<void> {
    return this.publish(message);
  }

  listen(listener: BrokerListener): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    const last = this.#options.use.lastWords();
    if (last !== null) await this.publish(last);
    for (const cancel of this.#waiting) cancel();
    this.#listeners.close();
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
    const { clock } = this.#options;
    new ClientInput(socket, { pace: this.#pace, clock, onWait: () => this.#count("delayed", "input") });
    const client = this.#aedes.handle(socket);
    this.#queues.set(client, queue);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#queues.delete(client);
    });
  }

  /** null when it may */
  #whyNotPublish(client: Client, { topic, retain, payload }: Published): string | null {
    const login = this.#logins.get(client);
    if (login === undefined || isTooLong(topic, this.#limits.topicBytes)) return "publish";
    if (!this.#options.access.mayPublish(login, topic)) return "publish";
    return retain && !this.#retained.take(topic, payload.length) ? "retain" : null;
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#waiting.delete(cancel);
      run();
    });
    this.#waiting.add(cancel);
  }

  #refusalOf(packet: ConnectPacket): AuthenticateError | null {
    const { will, username = null } = packet;
    // Whether it is the user's password is looked at next.
    if (will !== undefined && !this.#options.access.mayPublish(username, will.topic)) {
      return refusal(notAuthorized, `Cannot leave a will: ${whyRefused(username)}`);
    }
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

  #count(what: "refused" | "dropped" | "delayed", reason: string): void {
    const help = {
      delayed: "How often a local client was faster than it may be and nothing was read from it for a while",
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

type Published = { readonly topic: string; readonly retain: boolean; readonly payload: { readonly length: number } };

function whyRefused(login: Login): string {
  return login === null
    ? "Cannot publish: a client without a login may only subscribe"
    : "Cannot publish: the user may not publish to this topic, or has left too much there already";
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
