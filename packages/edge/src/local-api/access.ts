import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { AppError } from "@penstock/model";

/**
 * Who may ask at all. A browser on this machine may be made to ask by any page it shows: a name that page controls may
 * resolve to 127.0.0.1, which the Host header gives away, and a write from another origin says so in Origin.
 *
 * @throws AppError request/wrong-origin, request/unauthenticated
 * @source RFC 9110, 7.2 (Host); RFC 6454, 7.3 (Origin); RFC 6750, 2.1 (Bearer)
 */
export function checkAccess(
  headers: IncomingHttpHeaders,
  own: { readonly port: number; readonly token: string },
): void {
  const host = headers.host?.toLowerCase() ?? "";
  if (!["127.0.0.1", "localhost", "[::1]"].some((name) => host === `${name}:${own.port}`)) {
    throw new AppError("request/wrong-origin", `Host must be 127.0.0.1:${own.port} or localhost:${own.port}`);
  }
  // No page is served here, so no page has any business here.
  if (headers.origin !== undefined) {
    throw new AppError("request/wrong-origin", "Pages in a browser may not use the gateway's local API");
  }
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (given === undefined || !isSame(given, own.token)) {
    throw new AppError(
      "request/unauthenticated",
      "Authorization: Bearer TOKEN is needed; the token is in local-api/token",
    );
  }
}

/** Digests have one length, so that the time tells neither how much of it is right nor how long it is. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
