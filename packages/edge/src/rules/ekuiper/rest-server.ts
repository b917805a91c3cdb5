import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { AppError, limits } from "@penstock/model";
import { type Clock, type Log, listenOnLoopback, type Metrics, RequestRate } from "@penstock/runtime";
import type { LocalEngine } from "./local-engine.ts";
import { errorReply, type Reply, readJson } from "./rest-request.ts";
import { findRestRoute, type RestSite } from "./rest-routes.ts";
import { TrialRuns } from "./trial-runs.ts";

export interface RestServerOptions {
  /** on loopback; 0 = any free one */
  readonly port: number;
  readonly engine: LocalEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly version: string;
}
export interface RestServer {
  /** "http://127.0.0.1:9081" */
  readonly address: string;
  close(): Promise<void>;
}
/** A request has to come whole in this time. */
const requestTimeoutMs = 10_000;

/**
 * eKuiper's REST shape on loopback, for its tools, dashboards and exports. As there, nobody logs in: whoever is on this
 * machine may make rules. So it is off unless a port is given.
 *
 * @throws AppError port/in-use
 */
export async function openRestServer(options: RestServerOptions): Promise<RestServer> {
  const { engine, clock, metrics, version } = options;
  const server = createServer({ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs / 2 });
  server.maxConnections = limits.localConnections;
  const port = await listenOnLoopback(server, {
    ...{ port: options.port, what: "eKuiper's REST shape", option: "--ekuiper-port" },
  });
  const trials = new TrialRuns(engine);
  const startedAt = clock.monotonic();
  const site: RestSite = { engine, trials, version, startedAt, metrics: () => metrics.expose(), port: () => port };
  const serving = new Set<Promise<void>>();
  const rate = new RequestRate();
  server.on("request", (request, response) => {
    const one = serve(request, response, { site, options, port, rate }).finally(() => serving.delete(one));
    serving.add(one);
  });
  return {
    address: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      trials.close();
      server.closeIdleConnections();
      await Promise.all(serving);
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Serving {
  readonly site: RestSite;
  readonly options: RestServerOptions;
  readonly port: number;
  readonly rate: RequestRate;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { site, options, port, rate }: Serving,
): Promise<void> {
  let reply: Reply;
  try {
    checkWhere(request.headers, port);
    if (!rate.isWithin(options.clock.monotonic()))
      throw new AppError("request/too-many", `More than ${limits.localRequestsPerSecond} requests a second`);
    const { method = "GET", url = "/" } = request;
    const at = url.indexOf("?");
    const path = at < 0 ? url : url.slice(0, at);
    const found = findRestRoute(method, path);
    if (found === null)
      throw new AppError(
        "request/not-found",
        `${method} ${path} is not offered by this gateway; docs/guides/ekuiper.md has what is`,
      );
    const query = new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
    reply = await found.route.handle(site, { params: found.params, query, body: await readJson(request) });
    if (method !== "GET") options.log.info({ method, path }, "Done by eKuiper's REST shape");
  } catch (error) {
    reply = errorReply(error);
    if ("json" in reply && reply.status === 500)
      options.log.error({ error, path: request.url }, "A request of eKuiper's REST shape failed");
    if (!request.complete) response.setHeader("connection", "close");
  }
  const status = "stream" in reply ? 200 : reply.status;
  const help = "Requests by eKuiper's REST shape";
  options.metrics.counter("penstock_rules_ekuiper_requests_total", help, { status: String(status) }).add();
  send(response, reply);
}

function send(response: ServerResponse, reply: Reply): void {
  if ("stream" in reply) {
    reply.stream(response);
    return;
  }
  const isJson = "json" in reply;
  const body = isJson ? JSON.stringify(reply.json) : reply.text;
  response.writeHead(reply.status, {
    "content-type": isJson ? "application/json" : (reply.type ?? "text/plain; charset=utf-8"),
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    ...(!isJson && reply.file !== undefined && { "content-disposition": `attachment; filename=${reply.file}` }),
  });
  response.end(body);
}

/**
 * A browser on this machine may be made to ask by any page it shows: the name it resolved to loopback stands in Host, and the
 * page it is made by in Origin. A dashboard on this machine has an origin of this machine.
 *
 * @throws AppError request/wrong-origin
 * @source RFC 9110, 7.2 (Host); RFC 6454, 7.3 (Origin)
 */
function checkWhere(headers: IncomingHttpHeaders, port: number): void {
  const host = headers.host?.toLowerCase() ?? "";
  if (!["127.0.0.1", "localhost", "[::1]"].some((name) => host === `${name}:${port}`))
    throw new AppError("request/wrong-origin", `Host must be 127.0.0.1:${port} or localhost:${port}`);
  if (headers.origin !== undefined && !/^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(headers.origin))
    throw new AppError("request/wrong-origin", "Pages of other machines may not make rules here");
}
