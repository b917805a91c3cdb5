import type { RuleLookupSpec, RuleSourceSpec } from "@penstock/model";
import { takeHeaders } from "./from-http.ts";
import { redisUrl, sqlPlace } from "./from-store.ts";
import { Props, type Tell } from "./props.ts";

/** eKuiper's own words for who is asked; a table of TYPE memory is kept here, and asked of nobody. */
const lookupTypes = ["redis", "sql", "httppull"] as const;

/**
 * A lookup table of eKuiper that is somewhere else. What has the values is found by the columns that ON names.
 *
 * @param type  in lower case
 * @param extra  its settings
 * @source lf-edge/ekuiper: internal/topo/node/lookup_node.go (cache), internal/io/redis/lookup.go (one key, its value is the
 *   key in Redis), internal/io/http/httppull_lookup.go (rows of the whole answer that have the values)
 */
export function takeLookup(
  type: string,
  { options, extra, tell }: { readonly options: Props; readonly extra: Props; readonly tell: Tell },
): Pick<RuleSourceSpec, "lookup"> | null {
  const who = takeWho(type, { options, extra });
  const ttl = takeCache(new Props(extra.take("lookup"), "EXTRA.lookup", tell));
  if ((options.text("FORMAT") ?? "json").toLowerCase() !== "json") options.refuse("FORMAT", "must be JSON");
  options.note("RETAIN_SIZE", "nothing is kept but answers, as lookup.cache says");
  options.note("KEY", "rows are found by the columns that ON names");
  extra.end();
  return who === null ? null : { lookup: { ...who, ttl } };
}

function takeWho(
  type: string,
  { options, extra }: { readonly options: Props; readonly extra: Props },
): Pick<RuleLookupSpec, "redis" | "sql" | "http"> | null {
  const from = options.text("DATASOURCE") ?? "";
  switch (lookupTypes.find((one) => one === type)) {
    case "redis": {
      const user = extra.text("username");
      const password = extra.text("password");
      const as = extra.text("dataType");
      if (as !== "string" && as !== "list") extra.refuse("dataType", "must be string or list");
      if (!/^([0-9]|1[0-5])$/.test(from)) options.refuse("DATASOURCE", "must be the number of a database, 0 to 15");
      const url = redisUrl(extra);
      if (url === null) return null;
      return {
        redis: {
          url: from === "0" ? url : `${url}/${from}`,
          ...(user !== undefined && user !== "" && { user }),
          ...(password !== undefined && password !== "" && { password }),
          ...(as === "list" && { as }),
        },
      };
    }
    case "sql": {
      extra.refuseIfSet("templateSqlQueryCfg", "state a view of the database as DATASOURCE");
      const place = sqlPlace(extra);
      if (from === "") options.refuse("DATASOURCE", "is missing: the name of a table");
      else if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$/.test(from))
        options.refuse("DATASOURCE", "must be the name of a table");
      return place === null ? null : { sql: { ...place, table: from } };
    }
    case "httppull": {
      const base = (extra.text("url") ?? "").replace(/\/$/, "");
      const url = from === "" || from.startsWith("/") ? `${base}${from}` : `${base}/${from}`;
      if ((extra.text("method") ?? "get").toLowerCase() !== "get") extra.refuse("method", "must be get");
      for (const name of ["body", "bodyType", "responseType"]) extra.lose(name, "a GET has no body");
      extra.refuseIfSet("oAuth", "tokens are not fetched: state a header");
      extra.note("timeout", "the gateway waits its own time");
      extra.note("interval", "it is asked when a row wants something");
      extra.lose("insecureSkipVerify", "certificates are always checked");
      const headers = takeHeaders(extra);
      if (!/^https?:\/\//.test(url)) extra.refuse("url", 'is missing: EXTRA=\'{"url":"http://HOST/PATH"}\'');
      return { http: { url, ...(headers !== null && { headers }) } };
    }
    default:
      options.refuse("TYPE", `there is no such lookup table: it may be memory, ${lookupTypes.join(", ")}`);
      return null;
  }
}

/** eKuiper keeps no answer unless it is told to. */
function takeCache(cache: Props): string {
  const isKept = cache.flag("cache") ?? false;
  const ms = cache.ms("cacheTtl") ?? 0;
  const keepsEmpty = cache.flag("cacheMissingKey") ?? false;
  if (isKept && !keepsEmpty) cache.tell("cacheMissingKey", "lossy", "an answer of no rows is kept as the others are");
  cache.end();
  if (!isKept) return "0s";
  // Without a time an answer stays for ever there; a year is as good.
  return ms === 0 ? "366d" : `${ms}ms`;
}
