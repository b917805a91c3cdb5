import type { BodyOf, Contract, ParamsOf, QueryOf, ResponseOf, RouteSpec } from "@penstock/api";
import type { Caller } from "@penstock/model";
import type { Session } from "./http-services.ts";

/** One request, checked against its route: what a handler works with. */
export interface Call<R extends RouteSpec = RouteSpec> {
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: BodyOf<R>;
  /** who asks; "nobody" on routes that are open to everybody */
  readonly caller: Caller;
  readonly session: Session | null;
  readonly token: string | null;
  /** ETag without quotes, or "*" */
  readonly ifMatch: string | null;
  readonly isCreate: boolean;
  readonly idempotencyKey: string | undefined;
  readonly remote: string;
  /** aborted when the client has gone */
  readonly signal: AbortSignal;
}

/** Bytes that a browser keeps under a name. */
export interface FileAnswer {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly name: string;
}

/** What a handler answers. `status` only where the route has more than one good one. */
export interface Answer<R extends RouteSpec = RouteSpec> {
  readonly body: R["format"] extends "stream"
    ? AsyncIterable<{ event: string; data: unknown }>
    : R["format"] extends "file"
      ? FileAnswer
      : ResponseOf<R>;
  readonly status?: 200 | 201 | 202 | 503;
  /** a cookie with the session's token, or its removal */
  readonly cookie?: { readonly token: string | null };
}

/** One handler per route of the contract: the compiler names what is missing. */
export type Handlers = {
  readonly [N in keyof Contract]: {
    readonly [V in keyof Contract[N]["routes"]]: Contract[N]["routes"][V] extends RouteSpec
      ? (call: Call<Contract[N]["routes"][V]>) => Promise<Answer<Contract[N]["routes"][V]>>
      : never;
  };
};
