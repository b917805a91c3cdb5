/** Calls the API with the browser's cookie; scripts never see a token. */

/** What the server said no with: `code` of the error table, `message` for people. */
export class Problem extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new Problem("link/closed", "The server does not answer");
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw new Problem(answer?.code ?? "internal", answer?.detail ?? `The server answered ${response.status}`);
}

export const tenantPath = (tenant) => `/api/v1/tenants/${encodeURIComponent(tenant)}`;
export const devicePath = (tenant, device) => `${tenantPath(tenant)}/devices/${encodeURIComponent(device)}`;
export const propertyPath = (tenant, device, property) =>
  `${devicePath(tenant, device)}/properties/${encodeURIComponent(property)}`;

/** All pages of a list. */
export async function listAll(path) {
  const items = [];
  let cursor = null;
  do {
    const page = await call("GET", cursor === null ? path : `${path}?cursor=${encodeURIComponent(cursor)}`);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return items;
}
