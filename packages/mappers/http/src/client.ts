import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { type OpenContext, pemOf } from "@penstock/mapper-sdk";
import { AppError, type ErrorCode } from "@penstock/model";
import { type Answer, badAnswer, exchange, type Question, wasUnseen } from "./exchange.ts";
import type { Connection } from "./fields.ts";

/** Broken or missing answers: a request may be made again after them. */
const again: readonly ErrorCode[] = ["mapper/timeout", "mapper/bad-answer", "mapper/connection-lost"];
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** One device or server, asked at most `line.inFlight` times at a time. */
export class Client {
  readonly #settings: Connection;
  readonly #context: OpenContext;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  #busy = 0;
  #waiting: (() => void)[] = [];

  /** @throws AppError mapper/connect-failed when a certificate's file is not there */
  static async open(settings: Connection, context: OpenContext): Promise<Client> {
    const [ca, cert, key] = await Promise.all(
      [settings.ca, settings.certificate, settings.privateKey].map((given) => pemOf(given, context.folder)),
    );
    const { inFlight } = context.line;
    const pool = {
      keepAlive: settings.keepAlive,
      maxSockets: inFlight,
      maxFreeSockets: inFlight,
      scheduling: "lifo",
    } as const;
    const tls = {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    };
    const agent = settings.url.startsWith("https:") ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool);
    return new Client(settings, context, agent);
  }

  private constructor(settings: Connection, context: OpenContext, agent: HttpAgent | HttpsAgent) {
    this.#settings = settings;
    this.#context = context;
    this.#agent = agent;
    this.#base = new URL(settings.url);
    this.#headers = { "user-agent": "penstock", "accept-encoding": "gzip", ...ownHeaders(settings) };
  }

  /** @throws AppError mapper/bad-address when the path leads to another host */
  urlOf(resource: string): URL {
    const base = this.#base.pathname.replace(/\/$/, "");
    const url = new URL(`${this.#base.origin}${base}${resource}`);
    if (url.origin !== this.#base.origin) {
      throw new AppError("mapper/bad-address", `Cannot ask for "${resource}": it leads to another host`);
    }
    return url;
  }

  /** Reads; follows redirects as far as the settings let. @throws as `exchange` */
  async read(
    asked: Pick<Question, "method" | "url" | "body"> & { headers: Record<string, string> },
    signal: AbortSignal,
  ) {
    let question: Question = { ...asked, headers: { ...this.#headers, ...asked.headers } };
    for (let followed = 0; ; followed++) {
      const answer = await this.#patiently(question, signal);
      if (!redirects.includes(answer.status) || answer.location === null) return answer;
      if (followed === this.#settings.redirects) {
        throw badAnswer(question, `it leads on to another place for the ${followed + 1}. time`);
      }
      question = this.#redirected(question, answer, asked.headers);
    }
  }

  /** Redirects of a write are not followed: what it meant would change. @throws as `exchange` */
  write(asked: Pick<Question, "method" | "url" | "body"> & { headers: Record<string, string> }, signal: AbortSignal) {
    return this.#patiently({ ...asked, headers: { ...this.#headers, ...asked.headers } }, signal);
  }

  close(): void {
    this.#agent.destroy();
  }

  #redirected(question: Question, { status, location }: Answer, headers: Record<string, string>): Question {
    let url: URL;
    try {
      url = new URL(location ?? "", question.url);
    } catch (cause) {
      throw badAnswer(question, "it leads on to what is no URL", cause);
    }
    if (url.protocol !== this.#base.protocol) throw badAnswer(question, `it leads on to ${url.protocol}`);
    const isOwn = url.origin === this.#base.origin;
    if (!isOwn && !this.#settings.otherOrigins) throw badAnswer(question, `it leads on to ${url.origin}`);
    url.username = "";
    url.password = "";
    // RFC 9110, 15.4: only 307 and 308 keep method and body; who is not the device does not learn its passwords
    const isKept = status === 307 || status === 308;
    const sent = isOwn ? { ...this.#headers, ...headers } : { "accept-encoding": "gzip" };
    return isKept ? { ...question, url, headers: sent } : { method: "GET", url, headers: sent, body: null };
  }

  /** Takes its turn on the line; asks again after a broken or missing answer as often as the line says. */
  async #patiently(question: Question, signal: AbortSignal): Promise<Answer> {
    const { clock, line } = this.#context;
    await this.#turn();
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await exchange(question, {
            ...{ agent: this.#agent, clock, signal },
            ...{ connectTimeoutMs: line.connectTimeoutMs, timeoutMs: line.timeoutMs },
          });
        } catch (error) {
          if (wasUnseen(error) && !signal.aborted) {
            attempt--;
            continue;
          }
          const isAgain = error instanceof AppError && again.includes(error.code) && attempt < line.retries;
          if (!isAgain || signal.aborted) throw error;
        }
      }
    } finally {
      this.#next();
    }
  }

  #turn(): Promise<void> | undefined {
    if (this.#busy < this.#context.line.inFlight) {
      this.#busy++;
      return;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #next(): void {
    const { clock, line } = this.#context;
    const free = () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy--;
      else next();
    };
    if (line.pauseMs === 0) free();
    else clock.after(line.pauseMs, free);
  }
}

function ownHeaders({ headers = [], secretHeader, user, password = "", bearerToken }: Connection) {
  const all: Record<string, string> = {};
  for (const header of [...headers, ...(secretHeader === undefined ? [] : [secretHeader])]) {
    const colon = header.indexOf(":");
    all[header.slice(0, colon).toLowerCase()] = header.slice(colon + 1).trim();
  }
  if (user !== undefined) all.authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  if (bearerToken !== undefined) all.authorization = `Bearer ${bearerToken}`;
  return all;
}
