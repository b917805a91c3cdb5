import type { LocalEngine } from "./local-engine.ts";
import type { Reply, RestRequest } from "./rest-request.ts";
import { functionRoutes } from "./routes-functions.ts";
import { ruleRoutes } from "./routes-rules.ts";
import { rulesetRoutes } from "./routes-ruleset.ts";
import { serverRoutes } from "./routes-server.ts";
import { sourceRoutes } from "./routes-sources.ts";
import { trialRoutes } from "./routes-trial.ts";
import type { TrialRuns } from "./trial-runs.ts";

export interface RestSite {
  readonly engine: LocalEngine;
  readonly trials: TrialRuns;
  readonly version: string;
  /** monotonic microseconds */
  readonly startedAt: number;
  /** Prometheus text */
  metrics(): string;
  /** on which it listens */
  port(): number;
}
export interface RestRoute {
  readonly methods: readonly ("GET" | "POST" | "PUT" | "PATCH" | "DELETE")[];
  /** "/rules/:id/start" */
  readonly path: string;
  handle(site: RestSite, request: RestRequest): Promise<Reply> | Reply;
}

/** What is offered of eKuiper's REST shape; fixed words come before those that stand for a name. */
export const restRoutes: readonly RestRoute[] = [
  ...serverRoutes,
  ...sourceRoutes,
  ...ruleRoutes,
  ...rulesetRoutes,
  ...trialRoutes,
  ...functionRoutes,
];

/** @returns null: there is no such route */
export function findRestRoute(method: string, path: string) {
  const words = path.split("/").filter((word) => word !== "");
  for (const route of restRoutes) {
    const params = route.methods.some((one) => one === method) ? match(route.path, words) : null;
    if (params !== null) return { route, params };
  }
  return null;
}

function match(pattern: string, words: readonly string[]): Record<string, string> | null {
  const parts = pattern.split("/").filter((word) => word !== "");
  if (parts.length !== words.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const word = decoded(words[i]!);
    if (word === null) return null;
    if (part.startsWith(":")) params[part.slice(1)] = word;
    else if (part !== word) return null;
  }
  return params;
}

function decoded(word: string): string | null {
  try {
    return decodeURIComponent(word);
  } catch {
    return null;
  }
}
