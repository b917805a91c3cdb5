import type { OpenContext } from "@penstock/mapper-sdk";
import { AppError, type ErrorCode } from "@penstock/model";
import {
  AttributeIds,
  type ClientSession,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  type StatusCode,
  StatusCodes,
} from "node-opcua-client";
import type { ConnectionSettings } from "./fields.ts";
import { identityOf } from "./identity-token.ts";
import { NodeIds } from "./node-ids.ts";
import { ownIdentity } from "./own-identity.ts";
import { quietLibrary } from "./quiet-library.ts";
import { reasonOf } from "./status.ts";
import { TrustStore } from "./trust-store.ts";
import { within } from "./within.ts";

export interface SessionEvents {
  /** the line is cut; the library tries to take the session up again */
  cut(): void;
  /** the line is back; with `isNew` in another session, since the server had forgotten the first */
  restored(isNew: boolean): void;
  /** the session is over, on the server or because nobody took it up */
  over(error: AppError): void;
}

/** What the library is asked to keep alive at least so often, so that a line that fell silent is noticed. */
const keepAliveMs = 5000;
/** what a server may say of its limits is believed up to here */
const mostPerCall = 1000;

/** One session with a server, kept over cuts of the line by the library: new channel, same session. */
export class Session {
  readonly ids: NodeIds;
  readonly events: SessionEvents;
  readonly client: OPCUAClient;
  readonly session: ClientSession;
  readonly #context: OpenContext;
  readonly #closing = new AbortController();
  /** of the server, for whoever wants to know whether it was restarted; null where it does not tell */
  readonly #startTime: number | null;
  #id: string;
  #state: "up" | "cut" | "over" = "up";

  private constructor(options: {
    readonly client: OPCUAClient;
    readonly session: ClientSession;
    readonly namespaces: readonly string[];
    readonly startTime: number | null;
    readonly context: OpenContext;
    readonly events: SessionEvents;
  }) {
    this.client = options.client;
    this.session = options.session;
    this.ids = new NodeIds(options.namespaces);
    this.events = options.events;
    this.#context = options.context;
    this.#startTime = options.startTime;
    this.#id = options.session.sessionId.toString();
    this.client.on("connection_lost", () => this.#cut());
    this.session.on("session_restored", () => this.#restored());
    this.session.on("session_closed", () => this.#over("The server closed the session"));
  }

  /** @throws AppError mapper/connect-failed; of an untrusted server with the command that would trust it */
  static async open(settings: ConnectionSettings, context: OpenContext, events: SessionEvents): Promise<Session> {
    quietLibrary(context.log);
    const own = await ownIdentity(context.folder);
    const trust = new TrustStore(context.folder, own.certificate);
    const isSecured = settings.policy !== "None";
    const client = OPCUAClient.create({
      applicationName: "Penstock",
      applicationUri: own.applicationUri,
      clientName: "Penstock",
      endpointMustExist: false,
      securityMode: isSecured ? MessageSecurityMode[settings.mode] : MessageSecurityMode.None,
      securityPolicy: SecurityPolicy[settings.policy],
      clientCertificateManager: trust,
      certificateKeyPairProvider: {
        getCertificate: () => own.certificate,
        getCertificateChain: () => [own.certificate],
        getPrivateKey: () => own.privateKey,
      },
      connectionStrategy: { maxRetry: 0, initialDelay: 200, maxDelay: 1000 },
      requestedSessionTimeout: settings.holdMs + keepAliveMs,
      keepSessionAlive: true,
      keepAliveInterval: keepAliveMs,
      // A line on which nothing changes is silent between two questions whether it is there.
      transportTimeout: Math.max(context.line.connectTimeoutMs, keepAliveMs * 3),
      defaultTransactionTimeout: Math.max(context.line.timeoutMs, 1000),
    });
    const opening = async () => {
      await client.connect(settings.url);
      const session = await client.createSession(await identityOf(settings));
      const namespaces = await session.readNamespaceArray();
      const startTime = await startTimeOf(session);
      return new Session({ client, session, namespaces, startTime, context, events });
    };
    try {
      const opened = await within(opening(), {
        ...{ clock: context.clock, ms: context.line.connectTimeoutMs, signal: context.signal },
        what: `connect to ${settings.url}`,
      });
      // Only from here on: what fails at first is the runner's to try again.
      client.connectionStrategy.maxRetry = -1;
      return opened;
    } catch (cause) {
      await disconnected(client, context);
      throw refusedToConnect(settings, cause, trust);
    }
  }

  get isUp(): boolean {
    return this.#state === "up";
  }

  get timeoutMs(): number {
    return this.#context.line.timeoutMs;
  }

  get maxPerCall(): number {
    return mostPerCall;
  }

  /**
   * One question to the server within the line's time.
   *
   * @throws AppError by the server's status; mapper/timeout while the line is cut and the session waits to be taken up
   */
  async ask<T>(what: string, signal: AbortSignal, question: (session: ClientSession) => Promise<T>): Promise<T> {
    if (this.#state === "cut") {
      // The library would keep the question, and all that follow, until the line is back.
      throw new AppError("mapper/timeout", `Cannot ${what}: the line to the server is cut, its session waits`);
    }
    if (this.#state === "over") throw new AppError("mapper/connection-lost", `Cannot ${what}: the session is over`);
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const { clock, line } = this.#context;
    try {
      return await within(question(this.session), { clock, ms: line.timeoutMs, signal: stop, what });
    } catch (cause) {
      throw this.#told(what, cause);
    }
  }

  async close(): Promise<void> {
    this.#state = "over";
    this.#closing.abort(new AppError("aborted", "The connection was closed"));
    await disconnected(this.client, this.#context, this.session);
  }

  #told(what: string, cause: unknown): AppError {
    if (cause instanceof AppError) return cause;
    const status = statusIn(cause);
    const isBroken = status === null || /Session|SecureChannel|Connection|Tcp|Shutdown|ServerHalted/.test(status.name);
    const text = `Cannot ${what}: ${messageOf(cause)}`;
    if (!isBroken) return new AppError(reasonOf(status), text, { cause });
    // The library tells of the cut by an event, maybe a moment later.
    const code: ErrorCode = this.#state === "over" ? "mapper/connection-lost" : "mapper/timeout";
    return new AppError(code, text, { cause });
  }

  #cut(): void {
    if (this.#state !== "up") return;
    this.#state = "cut";
    this.events.cut();
  }

  #restored(): void {
    if (this.#state === "over") return;
    this.#state = "up";
    // The library makes a new session where the server does not know the old one, in the same object.
    const id = this.session.sessionId.toString();
    const isNew = id !== this.#id;
    this.#id = id;
    this.events.restored(isNew);
  }

  /** It is still the one that we had opened a session with: what we know of it holds. */
  async isSameServer(signal: AbortSignal): Promise<boolean> {
    if (this.#startTime === null) return false;
    return (await this.ask("read the server's start", signal, startTimeOf)) === this.#startTime;
  }

  /** Tells once that the session is over; nothing of it can be used. */
  #over(text: string): void {
    this.end(new AppError("mapper/connection-lost", text));
  }

  end(error: AppError): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.events.over(error);
  }
}

/** @source OPC UA 1.05 Part 5, 6.3.3 (Server_ServerStatus_StartTime) */
async function startTimeOf(session: ClientSession): Promise<number | null> {
  const { value } = await session.read({ nodeId: "i=2257", attributeId: AttributeIds.Value });
  return value.value instanceof Date ? value.value.getTime() : null;
}

/** Ends it, though the server may not answer any more. */
async function disconnected(client: OPCUAClient, context: OpenContext, session?: ClientSession): Promise<void> {
  const ending = async () => {
    if (session !== undefined) await client.closeSession(session, true).catch(() => {});
    await client.disconnect();
  };
  const never = new AbortController().signal;
  const time = { clock: context.clock, ms: context.line.connectTimeoutMs, signal: never, what: "disconnect" };
  await within(ending(), time).catch((error: unknown) => {
    context.log.debug({ error: String(error) }, "A server did not let us go in time");
  });
}

function refusedToConnect({ url, policy }: ConnectionSettings, cause: unknown, trust: TrustStore): AppError {
  if (cause instanceof AppError && cause.code === "aborted") return cause;
  if (trust.refused !== null) {
    const { thumbprint, why } = trust.refused;
    const text =
      `Cannot connect to ${url}: its certificate ${thumbprint} was refused, ${why}; compare it with the server's own and, ` +
      `if it is the same, run at the gateway: penstock edge trust opcua ${thumbprint}`;
    return new AppError("mapper/connect-failed", text, { cause });
  }
  const message = messageOf(cause);
  const why = /SecurityChecksFailed|CertificateUntrusted|disconnected by third party/.test(message)
    ? `${message}; where the server has not yet been told to trust this gateway's certificate, do it there`
    : /cannot find (an )?endpoint/i.test(message)
      ? `the server offers no endpoint with policy ${policy} and that mode`
      : message;
  return new AppError("mapper/connect-failed", `Cannot connect to ${url}: ${why}`, { cause });
}

export function statusIn(cause: unknown): StatusCode | null {
  const fault = (cause as { response?: { responseHeader?: { serviceResult?: StatusCode } } } | null)?.response;
  if (fault?.responseHeader?.serviceResult !== undefined) return fault.responseHeader.serviceResult;
  const name = /\bBad[A-Z]\w+/.exec(messageOf(cause))?.[0];
  return name === undefined ? null : ((StatusCodes as unknown as Record<string, StatusCode>)[name] ?? null);
}

export function messageOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 400);
}
