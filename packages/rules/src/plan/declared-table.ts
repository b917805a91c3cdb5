import { lookupDefaults, parseDuration, type RuleSourceSpec } from "@penstock/model";
import type { TableSchema } from "./stream-schema.ts";

/** What a source of a rule is to the query; undefined: a stream. */
export function declaredTable({ table, lookup }: Pick<RuleSourceSpec, "table" | "lookup">): TableSchema | undefined {
  if (lookup !== undefined) {
    const { ttl, most = lookupDefaults.most } = lookup;
    const keepMs = ttl === undefined ? lookupDefaults.ttlMs : parseDuration(ttl)!;
    return { t: "lookup", keepMicros: Math.round(keepMs * 1000), most };
  }
  return table === undefined ? undefined : { t: "scan", rows: table.rows ?? null, key: table.key ?? null };
}
