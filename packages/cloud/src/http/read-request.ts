import { checkShape, type RouteSpec } from "@penstock/api";
import { AppError, type FieldError, invalid } from "@penstock/model";
import type { TSchema } from "typebox";

export interface RawRequest {
  readonly params: unknown;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Params and query against the route's schemas, unknown fields refused by name. @throws AppError input/invalid */
export function readAddress(route: RouteSpec, request: Pick<RawRequest, "params" | "query">) {
  const query = typed(route, request.query);
  const fields: FieldError[] = [...checkShape(route.params, request.params), ...checkShape(route.query, query)];
  if (fields.length > 0) throw invalid(fields);
  return { params: request.params, query };
}

/**
 * The body against the route's schema. Resource documents are left to their service, which checks them as a whole after the
 * tenant check.
 */
export function readBody(route: RouteSpec, body: unknown): unknown {
  const isDocument = route.safety === "precondition" || route.safety === "match";
  if (isDocument) return body;
  const fields = checkShape(route.body, body);
  if (fields.length > 0) throw invalid(fields);
  return body;
}

/**
 * What a request says about what it changes.
 *
 * @throws AppError request/precondition-required (428) when it says nothing
 * @source RFC 9110, 13.1.1 (If-Match), 13.1.2 (If-None-Match); RFC 6585, 3 (428)
 */
export function readPreconditions(route: RouteSpec, headers: RawRequest["headers"]) {
  const match = header(headers, "if-match");
  const noneMatch = header(headers, "if-none-match");
  if (route.safety === "precondition" || route.safety === "match") {
    if (match !== undefined && noneMatch !== undefined) {
      throw invalid([{ field: "If-None-Match", value: noneMatch, rule: "cannot stand beside If-Match" }]);
    }
    if (noneMatch !== undefined && (route.safety === "match" || noneMatch.trim() !== "*")) {
      throw invalid([{ field: "If-None-Match", value: noneMatch, rule: "must be * and stand in a PUT" }]);
    }
    if (match === undefined && noneMatch === undefined) {
      const create = route.safety === "precondition" ? "; If-None-Match: * creates" : "";
      throw new AppError("request/precondition-required", `${route.method} needs If-Match with the ETag${create}`);
    }
  }
  return { ifMatch: match === undefined ? null : etagOf(match), isCreate: noneMatch !== undefined };
}

/** `"12"`, `W/"12"` or bare 12 → 12. Versions are equal or not; there is no weaker kind of equal. */
function etagOf(text: string): string {
  const match = /^(?:W\/)?"?([^"\s]*)"?$/.exec(text.trim());
  if (match?.[1] === undefined || match[1] === "") {
    throw invalid([{ field: "If-Match", value: text, rule: 'must be one ETag such as "12", or *' }]);
  }
  return match[1];
}

export function readIdempotencyKey(headers: RawRequest["headers"]): string | undefined {
  const key = header(headers, "idempotency-key");
  if (key === undefined || /^[\x21-\x7e]{1,128}$/.test(key)) return key;
  throw invalid([{ field: "Idempotency-Key", value: key.slice(0, 60), rule: "must be 1..128 printable characters" }]);
}

function header(headers: RawRequest["headers"], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Query values come as text; numbers, booleans and lists are made of them where the schema asks for such. */
function typed(route: RouteSpec, query: RawRequest["query"]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(query)) {
    const type = (route.query.properties[name] as (TSchema & { type?: string }) | undefined)?.type;
    if (type === "integer" && typeof value === "string" && /^-?\d{1,15}$/.test(value)) out[name] = Number(value);
    else if (type === "boolean" && (value === "true" || value === "false")) out[name] = value === "true";
    else if (type === "array") out[name] = Array.isArray(value) ? value : [value];
    else out[name] = value;
  }
  return out;
}
