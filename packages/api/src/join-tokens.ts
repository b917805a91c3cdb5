import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, durationSchema, nameSchema, nullable, page, tenantParams, timeSchema } from "./shapes.ts";

const token = Type.Object({
  id: Type.String(),
  node: nameSchema,
  createdAt: timeSchema,
  expiresAt: timeSchema,
  usedAt: nullable(timeSchema),
  revokedAt: nullable(timeSchema),
});

/** Single-use secrets with which a gateway asks for its first certificate. */
export const joinTokens = resource({
  name: "jointokens",
  summary: "join tokens",
  routes: {
    list: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/jointokens",
      summary: "Lists join tokens without their secrets, newest first",
      permission: "nodes:write",
      params: tenantParams,
      response: page(token),
      errors: ["resource/not-found"],
    }),
    create: route({
      method: "POST",
      path: "/api/v1/tenants/{tenant}/jointokens",
      summary: "Makes a join token for one node name; its secret is shown this once",
      permission: "nodes:write",
      safety: "key",
      params: tenantParams,
      body: Type.Object({ node: nameSchema, ttl: Type.Optional(durationSchema) }, closed),
      response: Type.Object({
        ...token.properties,
        secret: Type.String(),
        caHash: Type.String({ description: "SHA-256 of the CA certificate, which the gateway pins" }),
        token: Type.String({ description: "secret and caHash in one text, for penstock edge join" }),
      }),
      success: 201,
      errors: ["resource/not-found", "request/key-reused", "request/unsupported-media"],
      examples: [{ summary: "For gw-02, one hour", body: { node: "gw-02", ttl: "1h" } }],
    }),
    remove: route({
      method: "DELETE",
      path: "/api/v1/tenants/{tenant}/jointokens/{id}",
      summary: "Revokes a join token",
      permission: "nodes:write",
      params: Type.Object({ tenant: nameSchema, id: Type.String({ pattern: "^[0-9a-f]{32}$" }) }, closed),
      format: "none",
      success: 204,
      errors: ["resource/not-found"],
    }),
  },
});
