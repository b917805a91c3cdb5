import { createServer, type RequestListener, type ServerResponse } from "node:http";
import cookies from "@fastify/cookie";
import { allRoutes, hasBody, type NamedRoute } from "@penstock/api";
import { AppError, boundsAsText, invalid, limits, parseExact, stringifyExact } from "@penstock/model";
import type { Clock, Log, Metrics } from "@penstock/runtime";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Answer, Call, FileAnswer } from "./call.ts";
import { drain } from "./drain.ts";
import { writeEvents } from "./event-stream.ts";
import { createHandlers } from "./handlers.ts";
import { securityHeaders } from "./headers.ts";
import type { HttpServices } from "./http-services.ts";
import type { Page } from "./pages.ts";
import { sendProblem } from "./problems.ts";
import { readAddress, readBody, readIdempotencyKey, readPreconditions } from "./read-request.ts";
import { type Admitted, admit, requireSameOrigin, setSessionCookie } from "./sessions.ts";

export interface HttpOptions {
  readonly services: HttpServices;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** of the program, for the OpenAPI document */
  readonly version: string;
  /** the console's files by path, "/" being the page itself */
  readonly pages: ReadonlyMap<string, Page>;
}
export interface Http {
  /** for any http.Server or https.Server; each request's own socket says whether it is TLS */
  readonly handler: RequestListener;
  /** for tests: a request without a socket */
  readonly inject: FastifyInstance["inject"];
  /** ends streams and waits, takes nothing new, and resolves when every request is answered or after some seconds */
  close(): Promise<void>;
}
/** How long a request may take to end once the server stops; beyond it its connection is cut. */
const endGraceMs = 3000;

type AnyHandler = (call: Call) => Promise<Answer>;

/**
 * The HTTP side of services: every route of the contract in one loop.
 *
 *   request ─▶ admit (who, may they) ─▶ read (body, address, preconditions) ─▶ handler ─▶ answer or problem
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const { services, clock, log, metrics } = options;
  const handlers = createHandlers(options) as unknown as Record<string, Record<string, AnyHandler>>;
  const calls = new Set<AbortController>();
  const open = new Set<ServerResponse>();
  const admitted = new WeakMap<FastifyRequest, Admitted>();
  let handler: RequestListener | undefined;
  const app = fastify({
    logger: false,
    // A HEAD of the live stream would never end.
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 256, caseSensitive: true },
    // The ports are opened by main.ts, which decides about TLS: this server never listens.
    serverFactory: (listener) => {
      handler = listener;
      return createServer(listener);
    },
  });
  await app.register(cookies);
  takeJsonOnly(app);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(securityHeaders);
    // Before its body is read: nobody asked for it.
    if (request.is404) return noRoute(request, reply);
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "(none)";
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    metrics.counter("penstock_http_requests_total", "HTTP requests answered", labels).add();
  });
  app.setErrorHandler(async (error, request, reply) => {
    if ((error as { code?: unknown }).code === "FST_ERR_CTP_BODY_TOO_LARGE") await drain(request.raw, clock);
    return sendProblem({ error, request, reply, log });
  });
  app.setNotFoundHandler(noRoute);
  function noRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const error = new AppError("request/not-found", `No route ${request.method} ${request.url.split("?")[0] ?? ""}`);
    return sendProblem({ error, request, reply, log });
  }

  async function serve(named: NamedRoute, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { route } = named;
    const who = admitted.get(request)!;
    const address = readAddress(route, { params: request.params, query: request.query as Record<string, unknown> });
    const preconditions = readPreconditions(route, request.headers);
    const idempotencyKey = route.safety === "key" ? readIdempotencyKey(request.headers) : undefined;
    const body = readBody(route, hasBody(route) ? request.body : undefined);
    if (named.name === "login" && (body as { cookie?: boolean }).cookie === true) requireSameOrigin(request);
    const stop = new AbortController();
    calls.add(stop);
    reply.raw.once("close", () => {
      stop.abort();
      calls.delete(stop);
    });
    const call = {
      ...address,
      ...preconditions,
      ...who,
      body,
      idempotencyKey,
      remote: request.ip,
      signal: stop.signal,
      // The loop above checked each part against the route that the handler was typed with.
    } as unknown as Call;
    const answer = await handlers[named.resource]![named.name]!(call);
    if (answer.cookie !== undefined) setSessionCookie(request, reply, answer.cookie.token);
    reply.header("cache-control", "no-store");
    switch (route.format) {
      case "none":
        return reply.status(204).send();
      case "text":
        return reply.type("text/plain; version=0.0.4; charset=utf-8").send(answer.body);
      case "file": {
        const { bytes, mediaType, name } = answer.body as FileAnswer;
        // Names are DNS labels with an extension: nothing in them needs quoting.
        reply.header("content-disposition", `attachment; filename="${name}"`);
        return reply.type(mediaType).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      }
      case "json": {
        const version = (answer.body as { metadata?: { resourceVersion?: string } } | undefined)?.metadata
          ?.resourceVersion;
        if (version !== undefined) reply.header("etag", `"${version}"`);
        const text = route.exact ? stringifyExact(answer.body) : JSON.stringify(answer.body);
        return reply
          .status(answer.status ?? route.success)
          .type("application/json; charset=utf-8")
          .send(text);
      }
      case "stream": {
        reply.hijack();
        const events = answer.body as AsyncIterable<{ event: string; data: unknown; trace?: readonly string[] }>;
        const stillWelcome = async () => {
          if (who.token !== null) await services.auth.authenticate(who.token);
        };
        await writeEvents({
          response: reply.raw,
          headers: securityHeaders,
          events,
          clock,
          log,
          stop,
          stillWelcome,
        }).catch((error: unknown) => log.warn({ error: String(error) }, "A stream ended early"));
        return reply;
      }
    }
  }

  for (const named of allRoutes()) {
    app.route({
      method: named.route.method,
      url: named.route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      config: { exact: named.route.exact },
      bodyLimit: named.route.permission === null ? limits.openRequestBytes : limits.requestBytes,
      // Before the body is read and parsed: megabytes are taken from those who may send them only.
      onRequest: async (request) => void admitted.set(request, await admit(services, named.route, request)),
      handler: (request, reply) => serve(named, request, reply),
    });
  }
  for (const [path, page] of options.pages) {
    app.get(path, (_, reply) => reply.type(page.type).header("cache-control", "no-cache").send(page.body));
  }
  await app.ready();
  const take = handler!;
  return {
    handler(request, response) {
      open.add(response);
      response.once("close", () => open.delete(response));
      take(request, response);
    },
    inject: app.inject.bind(app) as FastifyInstance["inject"],
    async close() {
      const closed = app.close();
      // A wait for what becomes of a desired value answers with what is known; a stream ends.
      for (const stop of calls) stop.abort();
      await closed;
      await ended(open, clock);
    },
  };
}

function ended(open: ReadonlySet<ServerResponse>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(endGraceMs, resolve);
    const look = () => {
      if (open.size > 0) return;
      cancel();
      resolve();
    };
    for (const response of open) response.once("close", look);
    look();
  });
}

/** JSON in UTF-8 and nothing else; a key "__proto__" is refused like any text that is not JSON. */
function takeJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const read = (request: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: unknown) => void) => {
    const charset = /charset\s*=\s*"?([^;"\s]+)/i.exec(request.headers["content-type"] ?? "")?.[1];
    if (charset !== undefined && charset.toLowerCase() !== "utf-8") {
      done(new AppError("request/unsupported-media", `The body must be JSON in UTF-8, not ${charset}`));
      return;
    }
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      done(invalid([{ field: "body", value: "(bytes)", rule: "must be UTF-8" }]));
      return;
    }
    // The parser says what is no JSON and refuses "__proto__"; then large integers are read once more, digit by digit.
    parse(request, text, (error, body) => {
      const isExact = (request.routeOptions.config as { readonly exact?: boolean }).exact === true;
      if (error === null) {
        try {
          done(null, isExact ? exactBody(text) : body);
        } catch (refused) {
          done(refused as Error);
        }
      } else done(invalid([{ field: "body", value: "(text)", rule: `must be JSON: ${error.message}` }]));
    });
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(["application/json", "application/merge-patch+json"], { parseAs: "buffer" }, read);
}

/** @throws AppError input/invalid for lists in lists until the stack ends */
function exactBody(text: string): unknown {
  try {
    return boundsAsText(parseExact(text));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid([{ field: "body", value: "(text)", rule: "has too many lists and objects in each other" }]);
  }
}
