import { AppError } from "@penstock/model";
import { callHere } from "./call-here.ts";
import type { LocalSite } from "./local-site.ts";
import { listDevices, readAsyncApi, readStatus, readTwin } from "./look.ts";
import type { Fields } from "./read-request.ts";
import { releaseHere, setHere } from "./set-here.ts";

export interface Asked {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Fields;
  readonly body: Fields;
  /** null when it has not come within the time, or the gateway stops */
  wait<T>(outcome: Promise<T>, waitMs: number): Promise<T | null>;
}
export interface Answer<T> {
  readonly status: 200 | 202;
  readonly body: T;
}
export interface LocalRoute {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly summary: string;
  /** what it takes besides the path, and what each means; others are refused */
  readonly query: Readonly<Record<string, string>>;
  /** fields of a JSON object */
  readonly body: Readonly<Record<string, string>>;
  readonly handle: (site: LocalSite, asked: Asked) => Promise<Answer<unknown>>;
}

const property = "/api/v1/devices/{device}/properties/{property}";

/** The local API as data: the server and docs/reference/local-api.md both read it. */
export const localRoutes: readonly LocalRoute[] = [
  {
    ...{ method: "GET", path: "/api/v1/status", query: {}, body: {}, handle: readStatus },
    summary: "Link, mappers, lines, cycles, outbox, holds and counters of this gateway",
  },
  {
    ...{ method: "GET", path: "/api/v1/devices", query: {}, body: {}, handle: listDevices },
    summary: "The devices of this gateway with their state",
  },
  {
    ...{ method: "GET", path: "/api/v1/asyncapi", query: {}, body: {}, handle: readAsyncApi },
    summary: "What this gateway says over MQTT, as an AsyncAPI 3.0 document",
  },
  {
    ...{ method: "GET", path: "/api/v1/devices/{device}/twin", query: {}, body: {}, handle: readTwin },
    summary: "Reported values, desired values of the cloud and of this gateway with their times, holds, and methods",
  },
  {
    ...{
      method: "PUT",
      path: `${property}/local`,
      query: { wait: "duration; how long to wait for the end, at once unless stated, at most 1m" },
      handle: setHere,
    },
    body: {
      value: "as everywhere: 64-bit integers as decimal text, bytes as base64",
      holder: "who holds the property, in their own words; the cloud is told",
      hold: "duration after which the hold ends by itself, where `localWrites` is hold; until it is released unless stated",
      ttl: "duration in which it must be confirmed, 60s unless stated",
    },
    summary: "Sets a property here, by its `localWrites`, and waits for its end; 202 when the wait runs out",
  },
  {
    ...{ method: "DELETE", path: `${property}/hold`, query: {}, body: {}, handle: releaseHere },
    summary: "Releases a property: what waits of the cloud goes on",
  },
  {
    ...{ method: "POST", path: "/api/v1/devices/{device}/methods/{method}", query: {}, handle: callHere },
    body: {
      arguments: "object of values by name",
      timeout: "duration in which it must have ended, the method's own unless stated",
    },
    summary: "Calls a method, at most once, and answers with its end",
  },
];

/** @throws AppError request/not-found */
export function findRoute(method: string, path: string): { route: LocalRoute; params: Record<string, string> } {
  const parts = path.split("/");
  for (const route of localRoutes) {
    const wanted = route.path.split("/");
    if (route.method !== method || wanted.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = wanted.every((part, i) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      if (name === undefined) return part === parts[i];
      const text = decoded(parts[i]!);
      if (text === null || text === "") return false;
      params[name] = text;
      return true;
    });
    if (fits) return { route, params };
  }
  throw new AppError("request/not-found", `No route ${method} ${path.slice(0, 200)}`);
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
