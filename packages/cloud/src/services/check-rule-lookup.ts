import { type FieldError, lookupKinds, parseDuration, type RuleSourceSpec, shown } from "@penstock/model";

const placeholder = /\$\{[^}]*\}/g;
const timeoutLeastMs = 50;
const timeoutMostMs = 60_000;

/** What must hold for a lookup table, as far as its schema cannot say. @param at  its source: "spec.sources.batches" */
export function checkLookup(source: RuleSourceSpec, at: string): FieldError[] {
  const { lookup, table, timestamp } = source;
  if (lookup === undefined) return [];
  const fields: FieldError[] = [];
  const given = lookupKinds.filter((kind) => lookup[kind] !== undefined);
  if (given.length !== 1) {
    const rule = `must state one of ${lookupKinds.join(", ")}: who is asked`;
    fields.push({ field: `${at}.lookup`, value: given.join(", ") || "none", rule });
  }
  const { http, timeout } = lookup;
  const url = http?.url.replaceAll(placeholder, "x");
  if (url !== undefined && (!/^https?:\/\//.test(url) || !URL.canParse(url)))
    fields.push({ field: `${at}.lookup.http.url`, value: shown(http!.url), rule: "must be http://… or https://…" });
  const timeoutMs = timeout === undefined ? timeoutLeastMs : parseDuration(timeout)!;
  if (timeoutMs < timeoutLeastMs || timeoutMs > timeoutMostMs)
    fields.push({ field: `${at}.lookup.timeout`, value: shown(timeout), rule: "must be 50ms to 1m" });
  for (const [name, value] of Object.entries({ table, timestamp })) {
    if (value === undefined) continue;
    const rule = "must not be stated with lookup: it is asked, and gives no rows by itself";
    fields.push({ field: `${at}.${name}`, value: shown(value), rule });
  }
  return fields;
}
