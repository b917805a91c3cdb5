import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { AppError, limits, toProblem } from "@penstock/model";
import {
  type Clock,
  type Files,
  type Log,
  listenOnLoopback,
  type Metrics,
  type Random,
  RequestRate,
  sleep,
  writeFile,
} from "@penstock/runtime";
import { checkAccess } from "./access.ts";
import { keepToken } from "./keep-token.ts";
import type { LocalSite } from "./local-site.ts";
import { readBody, refuseUnknown } from "./read-request.ts";
import { type Answer, findRoute } from "./routes.ts";

export interface LocalApiOptions {
  /** 0 = any free one */
  readonly port: number;
  readonly files: Files;
  /** gets `token` and `address`: the address, and in the next line `pid` */
  readonly folder: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** of this process, for who finds `address` after it has died */
  readonly pid: number;
  readonly site: LocalSite;
}
export interface LocalApi {
  /** "http://127.0.0.1:49153" */
  readonly address: string;
  /** resolves when no request is in flight; those that wait are answered with what is known */
  close(): Promise<void>;
}

/** A request has to come whole in this time. */
const requestTimeoutMs = 10_000;

/**
 * The gateway's own API on loopback: what goes on here, values set here, calls made here, with no cloud in reach. Who may read
 * `folder` may use it.
 *
 * @throws AppError port/in-use, data/…
 */
export async function openLocalApi(options: LocalApiOptions): Promise<LocalApi> {
  const { files, folder, pid } = options;
  await files.makeFolder(folder);
  const token = await keepToken(options);
  const stopping = new AbortController();
  const server = createServer({ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs / 2 });
  server.maxConnections = limits.localConnections;
  const port = await listenOnLoopback(server, {
    ...{ port: options.port, what: "the local API", option: "--local-api-port" },
  });
  const address = `http://127.0.0.1:${port}`;
  const api = new Requests(options, { port, token, signal: stopping.signal });
  server.on("request", (request, response) => void api.serve(request, response));
  server.on("drop", () => api.dropped());
  const close = async () => {
    stopping.abort(new AppError("aborted", "Cannot answer: the gateway stops"));
    if (await files.exists(`${folder}/address`)) await files.remove(`${folder}/address`);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await api.idle();
    server.closeAllConnections();
    await closed;
  };
  try {
    await writeFile({ files, folder, name: "address", bytes: `${address}\n${pid}\n` });
  } catch (error) {
    await close();
    throw error;
  }
  return { address, close };
}

class Requests {
  readonly #options: LocalApiOptions;
  readonly #own: { readonly port: number; readonly token: string; readonly signal: AbortSignal };
  readonly #rate = new RequestRate();
  /** bounded by the connections */
  readonly #inFlight = new Set<Promise<void>>();

  constructor(options: LocalApiOptions, own: { port: number; token: string; signal: AbortSignal }) {
    this.#options = options;
    this.#own = own;
  }

  dropped(): void {
    this.#options.metrics.counter("penstock_local_api_connections_refused_total", "Connections beyond the limit").add();
  }

  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const serving = this.#serve(request, response).finally(() => this.#inFlight.delete(serving));
    this.#inFlight.add(serving);
    return serving;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, log } = this.#options;
    response.setHeader("cache-control", "no-store");
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    let status: number;
    try {
      const answer = await this.#answer(request, AbortSignal.any([gone.signal, this.#own.signal]));
      status = answer.status;
      send(response, status, "application/json", answer.body);
    } catch (error) {
      const problem = toProblem(error);
      status = problem.status;
      if (problem.code === "internal") log.error({ method: request.method, error }, "A local request failed");
      if (status === 401) response.setHeader("www-authenticate", "Bearer");
      if (status === 429) response.setHeader("retry-after", "1");
      // What has not been read of a body is not worth reading.
      if (!request.complete) response.setHeader("connection", "close");
      send(response, status, "application/problem+json", problem);
    }
    const help = "Requests at the local API";
    metrics.counter("penstock_local_api_requests_total", help, { status: String(status) }).add();
  }

  async #answer(request: IncomingMessage, signal: AbortSignal): Promise<Answer<unknown>> {
    const { clock, log, site } = this.#options;
    checkAccess(request.headers, this.#own);
    // Only now: who has no token must not use up what those have who do.
    if (!this.#rate.isWithin(clock.monotonic()))
      throw new AppError("request/too-many", `More than ${limits.localRequestsPerSecond} requests a second`);
    const { method = "GET", url = "/" } = request;
    const at = url.indexOf("?");
    const { route, params } = findRoute(method, at < 0 ? url : url.slice(0, at));
    const query = Object.fromEntries(new URLSearchParams(at < 0 ? "" : url.slice(at + 1)));
    refuseUnknown(query, Object.keys(route.query), "query");
    const body = await readBody(request, this.#own.signal);
    refuseUnknown(body, Object.keys(route.body), "body");
    const wait = <T>(outcome: Promise<T>, waitMs: number) => this.#wait(outcome, waitMs, signal);
    const answer = await route.handle(site, { params, query, body, wait });
    if (method !== "GET")
      log.info({ method, route: route.path, ...params, holder: body.holder }, "Done at the gateway");
    return answer;
  }

  async #wait<T>(outcome: Promise<T>, waitMs: number, signal: AbortSignal): Promise<T | null> {
    const over = new AbortController();
    const late = sleep(this.#options.clock, waitMs, AbortSignal.any([over.signal, signal])).then(
      () => null,
      () => null,
    );
    try {
      // First the outcome: what ended at once is told, however short the wait.
      return await Promise.race([outcome, late]);
    } finally {
      over.abort();
    }
  }
}

function send(response: ServerResponse, status: number, type: string, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}
