import { AppError, errorOfProblem, parseExact, stringifyExact } from "@penstock/model";
import type { Static } from "typebox";
import { type Contract, contract } from "./contract.ts";
import type { liveEvent } from "./live.ts";
import type { BodyOf, ParamsOf, QueryOf, ResponseOf, RouteSpec } from "./route.ts";
import { readEvents } from "./sse.ts";

export interface ClientOptions {
  /** "https://cloud.example:8443", without a path */
  readonly baseUrl: string;
  /** Bearer token; left out for `session.login` and `join.join`. A function is asked at each request. */
  readonly token?: string | (() => string | undefined);
  /** the caller's fetch, which also decides what certificate to trust */
  readonly fetch: typeof globalThis.fetch;
}

type Needed<K extends string, T> = keyof T extends never ? { readonly [P in K]?: T } : { readonly [P in K]: T };
type Input<R extends RouteSpec> = Needed<"params", ParamsOf<R>> & {
  readonly query?: QueryOf<R>;
} & (BodyOf<R> extends undefined ? unknown : { readonly body: BodyOf<R> }) &
  CallOptions;

export interface CallOptions {
  /** ETag (metadata.resourceVersion) of what is changed */
  readonly ifMatch?: string;
  /** true: create, and refuse to replace */
  readonly create?: boolean;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}
type Output<R extends RouteSpec> = R["format"] extends "stream"
  ? AsyncGenerator<Static<typeof liveEvent>>
  : R["format"] extends "file"
    ? Promise<Uint8Array>
    : Promise<ResponseOf<R>>;

/** One method per route: `client.devices.get({ params: { tenant, name } })`. */
export type Client = {
  readonly [N in keyof Contract]: {
    readonly [V in keyof Contract[N]["routes"]]: Contract[N]["routes"][V] extends RouteSpec
      ? (input: Input<Contract[N]["routes"][V]>) => Output<Contract[N]["routes"][V]>
      : never;
  };
};

/**
 * A client with one method per route of the contract.
 *
 * @throws AppError with the server's code, message and fields for every answer that is not good; "link/closed" when no
 *   answer came, with the cause
 */
export function createClient(options: ClientOptions): Client {
  const client: Record<string, Record<string, unknown>> = {};
  for (const [name, spec] of Object.entries(contract)) {
    const methods: Record<string, unknown> = {};
    for (const [verb, route] of Object.entries<RouteSpec>(spec.routes)) {
      methods[verb] =
        route.format === "stream"
          ? (input: AnyInput) => stream(options, route, input)
          : (input: AnyInput) => call(options, route, input);
    }
    client[name] = methods;
  }
  // The loop above makes exactly the methods that the mapped type names.
  return client as unknown as Client;
}

type AnyInput = CallOptions & {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
};

/** The address of a route with its parameters filled in. */
export function urlOf(baseUrl: string, route: RouteSpec, input: Pick<AnyInput, "params" | "query">): string {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(input.params?.[name] ?? "")),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(name, String(one));
  }
  const query = search.toString();
  return `${baseUrl.replace(/\/$/, "")}${path}${query === "" ? "" : `?${query}`}`;
}

/** what is wanted besides JSON; errors are problem documents in any case */
const accepted: { readonly [F in RouteSpec["format"]]?: string } = {
  stream: "text/event-stream",
  file: "*/*",
};

async function send(options: ClientOptions, route: RouteSpec, input: AnyInput): Promise<Response> {
  const headers: Record<string, string> = {
    accept: accepted[route.format] ?? "application/json, application/problem+json",
  };
  const token = typeof options.token === "function" ? options.token() : options.token;
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (input.ifMatch !== undefined) headers["if-match"] = `"${input.ifMatch}"`;
  if (input.create === true) headers["if-none-match"] = "*";
  if (input.idempotencyKey !== undefined) headers["idempotency-key"] = input.idempotencyKey;
  if (input.body !== undefined) {
    headers["content-type"] = route.method === "PATCH" ? "application/merge-patch+json" : "application/json";
  }
  const url = urlOf(options.baseUrl, route, input);
  let response: Response;
  try {
    response = await options.fetch(url, {
      method: route.method,
      headers,
      ...(input.body === undefined
        ? {}
        : { body: route.exact ? stringifyExact(input.body) : JSON.stringify(input.body) }),
      ...(input.signal === undefined ? {} : { signal: input.signal }),
    });
  } catch (cause) {
    if (input.signal?.aborted === true)
      throw new AppError("aborted", `${route.method} ${url} was called off`, { cause });
    throw new AppError("link/closed", `No answer from ${options.baseUrl}: ${reasonOf(cause)}`, { cause });
  }
  if (response.ok) return response;
  throw await problemOf(response, `${route.method} ${url}`);
}

async function call(options: ClientOptions, route: RouteSpec, input: AnyInput): Promise<unknown> {
  const response = await send(options, route, input);
  if (route.format === "none") return undefined;
  if (route.format === "file") return new Uint8Array(await response.arrayBuffer());
  if (route.exact) return parseExact(await response.text());
  return route.format === "text" ? response.text() : response.json();
}

async function* stream(options: ClientOptions, route: RouteSpec, input: AnyInput): AsyncGenerator<unknown> {
  const response = await send(options, route, input);
  if (response.body === null) return;
  try {
    for await (const { event, data } of readEvents(response.body)) yield { event, data: JSON.parse(data) as unknown };
  } catch (cause) {
    if (input.signal?.aborted === true) throw new AppError("aborted", "The stream was called off", { cause });
    throw new AppError("link/closed", `The stream from ${options.baseUrl} broke: ${reasonOf(cause)}`, { cause });
  }
}

async function problemOf(response: Response, what: string): Promise<AppError> {
  const text = await response.text().catch(() => "");
  const strange = `${what} was answered with ${response.status}, not by Penstock: ${text.slice(0, 200)}`;
  return errorOfProblem(text) ?? new AppError("internal", strange);
}

/** fetch hides the system's reason one or two causes down. */
function reasonOf(error: unknown): string {
  let here: unknown = error;
  let text = "";
  while (here instanceof Error) {
    text = here.message === "" ? text : here.message;
    here = here.cause;
  }
  return text;
}
