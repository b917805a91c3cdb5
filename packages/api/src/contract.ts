import { alarms } from "./alarms.ts";
import { asyncapi } from "./asyncapi.ts";
import { browse } from "./browse.ts";
import { changes } from "./changes.ts";
import { connections } from "./connections.ts";
import { copies } from "./copies.ts";
import { deviceModels } from "./device-models.ts";
import { devices } from "./devices.ts";
import { join } from "./join.ts";
import { joinTokens } from "./join-tokens.ts";
import { kubeedge } from "./kubeedge.ts";
import { live } from "./live.ts";
import { mappers } from "./mappers.ts";
import { methods } from "./methods.ts";
import { modelling } from "./modelling.ts";
import { nodes } from "./nodes.ts";
import type { ResourceSpec, RouteSpec } from "./route.ts";
import { ruleTrials } from "./rule-trials.ts";
import { ruleWhys } from "./rule-whys.ts";
import { rules } from "./rules.ts";
import { series } from "./series.ts";
import { session } from "./session.ts";
import { system } from "./system.ts";
import { tables } from "./tables.ts";
import { tenants } from "./tenants.ts";
import { twins } from "./twins.ts";
import { users } from "./users.ts";

/** The whole HTTP contract. A resource added here appears in the client, in OpenAPI and in the isolation test. */
export const contract = {
  session,
  tenants,
  users,
  nodes,
  connections,
  deviceModels,
  devices,
  rules,
  ruleTrials,
  ruleWhys,
  copies,
  changes,
  modelling,
  tables,
  kubeedge,
  mappers,
  browse,
  asyncapi,
  twins,
  methods,
  series,
  live,
  alarms,
  joinTokens,
  join,
  system,
} as const satisfies Record<string, ResourceSpec>;
export type Contract = typeof contract;

export interface NamedRoute {
  /** key in `contract` and in its `routes` */
  readonly resource: keyof Contract;
  readonly name: string;
  readonly route: RouteSpec;
}
export function allRoutes(): NamedRoute[] {
  return Object.entries(contract).flatMap(([resource, spec]) =>
    Object.entries<RouteSpec>(spec.routes).map(([name, route]) => ({
      resource: resource as keyof Contract,
      name,
      route,
    })),
  );
}
