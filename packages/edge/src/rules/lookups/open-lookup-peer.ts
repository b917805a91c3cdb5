import { AppError, lookupDefaults, type RuleLookupSpec } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import { msOf } from "../sinks/delivery/delivery-settings.ts";
import { HttpLookup } from "./http-lookup.ts";
import type { LookupPeer } from "./lookup-peer.ts";
import { RedisLookup } from "./redis-lookup.ts";
import { SqlLookup } from "./sql-lookup.ts";

/** @throws AppError rules/unknown-action for a kind that this gateway does not have */
export function openLookupPeer(spec: RuleLookupSpec, { clock }: { readonly clock: Clock }): LookupPeer {
  const { redis, sql, http } = spec;
  if (redis !== undefined) return new RedisLookup(redis);
  if (sql !== undefined) return new SqlLookup(sql);
  if (http !== undefined)
    return new HttpLookup(http, { clock, timeoutMs: msOf(spec.timeout, lookupDefaults.timeoutMs) });
  throw new AppError("rules/unknown-action", "This gateway cannot ask a lookup table that names nobody it knows");
}
