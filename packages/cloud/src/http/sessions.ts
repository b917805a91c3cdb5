import { type RouteSpec, sessionCookie } from "@penstock/api";
import { AppError, type Caller } from "@penstock/model";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { HttpServices, Session } from "./http-services.ts";

export const nobody: Caller = { uid: "nobody", name: "nobody", role: "none", tenants: [] };

export function isSecure(request: FastifyRequest): boolean {
  return (request.raw.socket as { encrypted?: boolean }).encrypted === true;
}

/**
 * "__Host-" makes a browser refuse the cookie from a subdomain or without TLS; on the loopback port there is no TLS.
 * @source RFC 6265bis draft-ietf-httpbis-rfc6265bis-20, 4.1.3.2
 */
function cookieName(request: FastifyRequest): string {
  return isSecure(request) ? `__Host-${sessionCookie}` : sessionCookie;
}

export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, token: string | null): void {
  const attributes = { httpOnly: true, sameSite: "strict", path: "/", secure: isSecure(request) } as const;
  if (token === null) reply.clearCookie(cookieName(request), attributes);
  else reply.setCookie(cookieName(request), token, attributes);
}

/** A token comes in a header or in the cookie, never in an address. */
function tokenOf(request: FastifyRequest): { token: string; from: "header" | "cookie" } | null {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const match = /^Bearer ([A-Za-z0-9_-]{20,128})$/i.exec(header);
    if (match === null) throw new AppError("request/unauthenticated", "Authorization must be Bearer and a token");
    return { token: match[1]!, from: "header" };
  }
  const cookie = request.cookies[cookieName(request)];
  return cookie === undefined ? null : { token: cookie, from: "cookie" };
}

/**
 * A browser names the page that sends a write; another site's page must not write with the user's cookie. SameSite=Strict
 * already keeps the cookie back; this also covers pages on another port of the same host.
 *
 * @throws AppError request/wrong-origin
 */
export function requireSameOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  const own = `${isSecure(request) ? "https" : "http"}://${host ?? ""}`;
  if (origin !== own) {
    throw new AppError(
      "request/wrong-origin",
      `Cannot write from origin "${origin ?? "(none)"}": this server is "${own}"`,
    );
  }
}

export interface Admitted {
  readonly caller: Caller;
  readonly session: Session | null;
  readonly token: string | null;
}

/** Who asks, and whether they may. @throws AppError request/unauthenticated, request/forbidden, request/wrong-origin */
export async function admit(
  services: Pick<HttpServices, "auth">,
  route: RouteSpec,
  request: FastifyRequest,
): Promise<Admitted> {
  if (route.permission === null) return { caller: nobody, session: null, token: null };
  const found = tokenOf(request);
  if (found === null) throw new AppError("request/unauthenticated", "Log in first: POST /api/v1/login");
  const session = await services.auth.authenticate(found.token);
  // A token is good only for the way it was given out: a stolen cookie is no Bearer token, and the other way round.
  if ((session.kind === "cookie") !== (found.from === "cookie")) {
    throw new AppError("request/unauthenticated", "The login has ended or never was");
  }
  if (found.from === "cookie" && route.method !== "GET") requireSameOrigin(request);
  if (route.permission !== "self" && session.caller.role !== "administrator") {
    throw new AppError("request/forbidden", `${session.caller.name} may not ${route.permission}`);
  }
  return { caller: session.caller, session, token: found.token };
}
