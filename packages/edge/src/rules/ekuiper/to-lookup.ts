import { lookupDefaults, parseDuration, type RuleLookupSpec } from "@penstock/model";

/**
 * A lookup table as options of eKuiper's CREATE TABLE; null: it has no such table.
 *
 * @source as `takeLookup`, which reads them
 */
export function lookupOptions(lookup: RuleLookupSpec): Readonly<Record<string, string>> | null {
  const who = whoOf(lookup);
  if (who === null) return null;
  const { extra, ...options } = who;
  const ttlMs = lookup.ttl === undefined ? lookupDefaults.ttlMs : parseDuration(lookup.ttl)!;
  const cache = ttlMs === 0 ? { cache: false } : { cache: true, cacheTtl: `${ttlMs}ms`, cacheMissingKey: true };
  return { ...options, FORMAT: "JSON", KIND: "lookup", EXTRA: JSON.stringify({ ...extra, lookup: cache }) };
}

interface Who {
  readonly TYPE: string;
  readonly DATASOURCE: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

function whoOf({ redis, sql, http }: RuleLookupSpec): Who | null {
  if (redis !== undefined) {
    const { key, as = "json", user, password } = redis;
    const { protocol, hostname, port, pathname } = new URL(redis.url);
    // There the key is the value itself, nothing is encrypted, and nobody reads hashes.
    if (key !== undefined || as === "hash" || protocol !== "redis:") return null;
    const login = { ...(user !== undefined && { username: user }), ...(password !== undefined && { password }) };
    const addr = `${hostname}:${port === "" ? 6379 : port}`;
    const dataType = as === "list" ? "list" : "string";
    return { TYPE: "redis", DATASOURCE: pathname.slice(1) || "0", extra: { addr, ...login, dataType } };
  }
  if (sql !== undefined) {
    const { user, password, table } = sql;
    const url = new URL(sql.url);
    if (user !== undefined) url.username = encodeURIComponent(user);
    if (password !== undefined) url.password = encodeURIComponent(password);
    return { TYPE: "sql", DATASOURCE: table, extra: { url: url.href } };
  }
  // An address of each row, and a login of the gateway's own, are not known there.
  if (http === undefined || http.token !== undefined || /\$\{/.test(JSON.stringify(http))) return null;
  const { url, headers } = http;
  return { TYPE: "httppull", DATASOURCE: "", extra: { url, method: "get", ...(headers !== undefined && { headers }) } };
}
