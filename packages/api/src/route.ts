import type { ErrorCode } from "@penstock/model";
import Type, { type Static, type TObject, type TSchema } from "typebox";

/** What a login must be allowed to do; null = open to everybody. Checked against the tenant of the path. */
export type Permission =
  | "devices:read"
  | "devices:write"
  | "devices:operate"
  | "nodes:read"
  | "nodes:write"
  | "platform:read"
  | "platform:write"
  | "self";

/**
 * How a request that changes something is made safe to send twice. `precondition`: If-None-Match: * creates and If-Match
 * changes, else 428; `key`: an Idempotency-Key is remembered for 24 h; `none`: sending it twice does no harm, or it is a read.
 */
export type Safety = "precondition" | "match" | "key" | "none";

/** One route, as data: server, client, OpenAPI and tests are derived from it. */
export interface RouteSpec {
  readonly method: "GET" | "PUT" | "PATCH" | "DELETE" | "POST";
  /** with `{name}` for each of `params` */
  readonly path: string;
  readonly summary: string;
  readonly permission: Permission | null;
  readonly safety: Safety;
  readonly params: TObject;
  readonly query: TObject;
  readonly body: TSchema;
  /** `stream`: server-sent events; `text`: text/plain; `file`: bytes to be kept; `none`: 204; else the JSON body */
  readonly response: TSchema;
  readonly format: "json" | "stream" | "text" | "file" | "none";
  /** the status when all went well; a route with `pending` may answer 202 instead */
  readonly success: 200 | 201 | 204;
  /** true: bodies may hold integers beyond 2^53, in `custom` blocks; they are read and written digit by digit */
  readonly exact: boolean;
  /** true: 202 with the same body while the outcome is open */
  readonly pending: boolean;
  /** what this route says no with, besides `commonErrors` */
  readonly errors: readonly ErrorCode[];
  readonly examples: readonly Example[];
}
export interface Example {
  readonly summary: string;
  readonly body?: unknown;
  readonly response?: unknown;
}

/** Every route with a login may answer these. */
export const commonErrors = [
  "input/invalid",
  "request/unauthenticated",
  "request/forbidden",
  "request/too-many",
  "internal",
] as const satisfies readonly ErrorCode[];

const noParams = Type.Object({}, { additionalProperties: false });
const noBody = Type.Undefined();

type Filled<T extends Partial<RouteSpec>> = {
  readonly [K in keyof RouteSpec]: K extends keyof T
    ? Exclude<T[K], undefined>
    : (typeof defaults)[K & keyof typeof defaults];
};
const defaults = {
  safety: "none",
  params: noParams,
  query: noParams,
  body: noBody,
  response: Type.Undefined(),
  format: "json",
  success: 200,
  pending: false,
  exact: false,
  errors: [],
  examples: [],
} as const;

type Given = Pick<RouteSpec, "method" | "path" | "summary" | "permission"> & Partial<RouteSpec>;

/** One route; what is left out is "none". */
export function route<const T extends Given>(spec: T): Filled<T> {
  // The spread is `Filled<T>` by construction; the compiler does not follow a spread of a type parameter.
  return { ...defaults, ...spec } as unknown as Filled<T>;
}

export interface ResourceSpec {
  readonly name: string;
  readonly summary: string;
  readonly routes: Readonly<Record<string, RouteSpec>>;
}
/** The routes of one resource, under the name that the client and the handlers use. */
export function resource<const T extends ResourceSpec>(spec: T): T {
  return spec;
}

export type ParamsOf<R extends RouteSpec> = Static<R["params"]>;
export type QueryOf<R extends RouteSpec> = Static<R["query"]>;
export type BodyOf<R extends RouteSpec> = Static<R["body"]>;
export type ResponseOf<R extends RouteSpec> = Static<R["response"]>;
