import { type OpenContext, pemOf } from "@penstock/mapper-sdk";
import { AppError, limits } from "@penstock/model";
import mqtt, { type IClientOptions, type IPublishPacket, type ISubscriptionMap, type MqttClient } from "mqtt";
import type { Connection } from "./fields.ts";
import { PacketMeter } from "./packet-meter.ts";

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** the broker had kept it: it was told before we asked */
  readonly isRetained: boolean;
  /** the broker may have sent it before */
  readonly isAgain: boolean;
}
export interface LinkEvents {
  message(message: Message): void;
  /** at most once, and not after `close` */
  lost(error: AppError): void;
}

/** Topic, packet id and properties stand in a packet beside its payload. */
const mostPacketBytes = limits.devicePayloadBytes + 65_536;
/** Our own clock ends what takes too long. */
const never = 2 ** 31 - 1;
/** MQTT 5.0, 3.4.2.1: the broker took it, and nobody subscribes to the topic */
const noSubscribers = 0x10;
/** Bad user name or password, not authorized: MQTT 3.1.1, 3.2.2.3, and MQTT 5.0, 3.2.2.2 */
const denied: readonly number[] = [4, 5, 0x86, 0x87];

/** One connection to a broker. When it ends it is over: the runner opens another. */
export class BrokerLink {
  /** the broker had kept our session: what came meanwhile follows */
  isResumed = false;
  readonly #client: MqttClient;
  readonly #context: OpenContext;
  readonly #gone = new AbortController();
  /** packets that nobody subscribes to; the library keeps that to itself */
  readonly #unheard = new Set<number>();
  #isClosing = false;

  /** @throws AppError mapper/connect-failed */
  static async open(settings: Connection, context: OpenContext, events: LinkEvents): Promise<BrokerLink> {
    const options = await clientOptions(settings, context.folder);
    if (context.signal.aborted) throw new AppError("aborted", "Opening was called off");
    const link = new BrokerLink(mqtt.connect(options), context, events);
    try {
      await link.#connected(settings.url, context);
    } catch (error) {
      await link.close();
      throw error;
    }
    return link;
  }

  private constructor(client: MqttClient, context: OpenContext, events: LinkEvents) {
    this.#client = client;
    this.#context = context;
    const meter = new PacketMeter(mostPacketBytes);
    client.stream.on("data", (chunk: Uint8Array) => {
      if (!meter.take(chunk)) client.stream.destroy(new Error(`a packet is longer than ${mostPacketBytes} bytes`));
    });
    let why = "the broker ended it";
    client.on("error", (error) => {
      why = textOf(error);
    });
    client.stream.on("error", (error: Error) => {
      why = textOf(error);
    });
    client.on("disconnect", ({ reasonCode }) => {
      why = `the broker ended it with reason ${reasonCode}`;
    });
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "puback" && packet.reasonCode === noSubscribers) this.#unheard.add(packet.messageId!);
    });
    client.on("message", (topic, payload, packet: IPublishPacket) =>
      events.message({ topic, payload, isRetained: packet.retain, isAgain: packet.dup }),
    );
    client.on("close", () => {
      if (this.#gone.signal.aborted) return;
      const error = new AppError("mapper/connection-lost", `The connection to the broker was lost: ${why}`);
      this.#gone.abort(error);
      if (this.#wasConnected && !this.#isClosing) events.lost(error);
    });
  }

  #wasConnected = false;

  #connected(url: string, { signal, clock, line }: OpenContext): Promise<void> {
    const client = this.#client;
    return new Promise((resolve, reject) => {
      const failed = (why: string, cause?: unknown) => {
        const code = denied.includes(codeIn(cause)) ? "mapper/access-denied" : "mapper/connect-failed";
        settle(() => reject(new AppError(code, `Cannot connect to ${url}: ${why}`, { cause })));
      };
      const onAbort = () => settle(() => reject(new AppError("aborted", "Opening was called off")));
      const onError = (error: Error) => failed(textOf(error), error);
      const onClose = () => failed("the broker ended the connection");
      const cancel = clock.after(line.connectTimeoutMs, () => failed(`no answer in ${line.connectTimeoutMs} ms`));
      const settle = (then: () => void) => {
        cancel();
        signal.removeEventListener("abort", onAbort);
        client.off("error", onError);
        client.off("close", onClose);
        then();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      client.once("error", onError);
      client.once("close", onClose);
      client.once("connect", ({ sessionPresent }) => {
        this.isResumed = sessionPresent;
        this.#wasConnected = true;
        settle(resolve);
      });
    });
  }

  /** @returns of each filter whether the broker took it. @throws AppError mapper/connection-lost */
  subscribe(filters: readonly { readonly filter: string; readonly qos: 0 | 1 }[]): Promise<boolean[]> {
    const map: ISubscriptionMap = Object.fromEntries(filters.map(({ filter, qos }) => [filter, { qos }])) as never;
    return this.#until((done, fail) =>
      this.#client.subscribe(map, (error, _granted, packet) => {
        const codes = packet?.granted;
        if (codes === undefined) fail(error ?? new Error("no answer"));
        else done(filters.map((_, i) => Number(codes[i]) < 0x80));
      }),
    );
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#until<void>((done) => this.#client.unsubscribe(filter, () => done()));
  }

  /** @returns false when the broker said that nobody listens. @throws AppError */
  publish(topic: string, payload: Uint8Array, options: { readonly qos: 0 | 1; readonly retain: boolean }) {
    return this.#until<boolean>((done, fail) => {
      let id: number | null = null;
      this.#client.publish(topic, Buffer.from(payload), options, (error) => {
        if (error) fail(error);
        else done(id === null || !this.#unheard.delete(id));
      });
      if (options.qos === 1) id = this.#client.getLastMessageId();
    });
  }

  /** Resolves when the socket is gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#gone.abort(new AppError("aborted", "The connection was closed"));
    const { connected, outgoing } = this.#client;
    // The library would wait for every answer that a broker owes; nobody else does any more.
    const isForced = !connected || Object.keys(outgoing).length > 0;
    await this.#client.endAsync(isForced).catch(() => {});
    this.#client.stream.destroy();
  }

  /** What the library would answer never, because the connection has ended, ends with it. */
  #until<T>(work: (done: (result: T) => void, fail: (error: Error) => void) => void): Promise<T> {
    const gone = this.#gone.signal;
    return new Promise((resolve, reject) => {
      const onGone = () => {
        cancel();
        reject(gone.reason);
      };
      if (gone.aborted) return reject(gone.reason);
      gone.addEventListener("abort", onGone, { once: true });
      const { clock, line } = this.#context;
      const cancel = clock.after(line.timeoutMs, () => {
        settled();
        reject(new AppError("mapper/timeout", `The broker did not answer in ${line.timeoutMs} ms`));
      });
      const settled = () => {
        cancel();
        gone.removeEventListener("abort", onGone);
      };
      work(
        (result) => {
          settled();
          resolve(result);
        },
        (error) => {
          settled();
          // The library says "Connection closed" before it tells of the end.
          const isGone = gone.aborted || !this.#client.connected;
          const refused = denied.includes(codeIn(error)) ? "mapper/access-denied" : "mapper/value-refused";
          const code = isGone ? "mapper/connection-lost" : refused;
          reject(gone.reason ?? new AppError(code, `The broker refused: ${textOf(error)}`, { cause: error }));
        },
      );
    });
  }
}

async function clientOptions(settings: Connection, folder: string): Promise<IClientOptions> {
  const { url, protocol, clientId, user, password, keepAlive, cleanStart, sessionExpiry, serverName } = settings;
  const { protocol: scheme, hostname, port, pathname, search } = new URL(url);
  const isWeb = scheme.startsWith("ws");
  const is5 = protocol === "5";
  const [ca, cert, key] = await Promise.all(
    [settings.ca, settings.certificate, settings.privateKey].map((given) => pemOf(given, folder)),
  );
  const defaults = { "mqtt:": 1883, "mqtts:": 8883, "ws:": 80, "wss:": 443 } as const;
  return {
    protocol: scheme.slice(0, -1) as "mqtt",
    // Only a URL writes an IPv6 address in brackets.
    hostname: isWeb ? hostname : hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? defaults[scheme as "mqtt:"] : Number(port),
    ...(isWeb && { path: `${pathname}${search}` }),
    protocolVersion: is5 ? 5 : 4,
    ...(clientId !== undefined && { clientId }),
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
    clean: cleanStart,
    keepalive: keepAlive,
    ...(is5 && {
      properties: { maximumPacketSize: mostPacketBytes, ...(!cleanStart && { sessionExpiryInterval: sessionExpiry }) },
    }),
    ...{ reconnectPeriod: 0, resubscribe: false, connectTimeout: never, queueQoSZero: false },
  };
}

function codeIn(error: unknown): number {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : 0;
}

function textOf(error: Error): string {
  // Several addresses were tried: node says nothing but in the list.
  const errors = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  return errors.map(({ message }) => message).join("; ") || error.name;
}
