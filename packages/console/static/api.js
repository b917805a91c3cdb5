/** Calls the API with the browser's cookie; scripts never see a token. */

/** What the server said no with: `code` of the error table, `message` for people, `fields` that break a rule. */
export class Problem extends Error {
  constructor(code, message, fields = []) {
    super(message);
    this.code = code;
    this.fields = fields;
  }
}

/** @param ifMatch  version of what is changed, or "*"; left out where a request changes none */
export async function call(method, path, body, { ifMatch } = {}) {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        ...(body === undefined ? {} : { "content-type": type }),
        ...(ifMatch === undefined ? {} : { "if-match": ifMatch === "*" ? ifMatch : `"${ifMatch}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Problem("link/closed", "The server does not answer");
  }
  if (response.status === 204) return null;
  const answer = await response
    .text()
    .then((text) => (longInteger.test(text) ? JSON.parse(text, asWritten) : JSON.parse(text)))
    .catch(() => null);
  if (response.ok) return answer;
  throw new Problem(
    answer?.code ?? "internal",
    answer?.detail ?? `The server answered ${response.status}`,
    answer?.fields,
  );
}

/** Looking at each value takes several times as long as parsing, so only where there may be one. */
const longInteger = /[:,[]\s*-?\d{16}/;
/**
 * Documents may hold integers beyond 2^53: such a number keeps its own text, which is all that the page needs of it.
 * Browsers without access to it (before 2025) show the nearest number.
 */
function asWritten(_key, value, context) {
  if (typeof value !== "number" || Number.isSafeInteger(value) || typeof JSON.rawJSON !== "function") return value;
  return /^-?\d+$/.test(context.source) ? JSON.rawJSON(context.source) : value;
}

export const tenantPath = (tenant) => `/api/v1/tenants/${encodeURIComponent(tenant)}`;
export const devicePath = (tenant, device) => `${tenantPath(tenant)}/devices/${encodeURIComponent(device)}`;
export const propertyPath = (tenant, device, property) =>
  `${devicePath(tenant, device)}/properties/${encodeURIComponent(property)}`;
export const methodPath = (tenant, device, method) =>
  `${devicePath(tenant, device)}/methods/${encodeURIComponent(method)}`;

export const rulePath = (tenant, rule) => `${tenantPath(tenant)}/rules/${encodeURIComponent(rule)}`;
export const alarmPath = (tenant, id) => `${tenantPath(tenant)}/alarms/${encodeURIComponent(id)}`;

/** All pages of a list. */
export async function listAll(path) {
  const items = [];
  let cursor = null;
  do {
    const query = cursor === null ? "" : `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
    const page = await call("GET", path + query);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return items;
}
