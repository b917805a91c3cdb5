import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nameSchema, timeSchema } from "./shapes.ts";

const named = Type.Object({ uid: Type.String(), name: nameSchema });

/** A gateway's first step: its token for a certificate. */
export const join = resource({
  name: "join",
  summary: "joining",
  routes: {
    join: route({
      method: "POST",
      path: "/api/v1/join",
      summary: "Gives a certificate for the public key to the holder of a join token; again only for the same key",
      permission: null,
      body: Type.Object(
        {
          secret: Type.String({ minLength: 20, maxLength: 256 }),
          publicKey: Type.String({ minLength: 50, maxLength: 8192, description: "SubjectPublicKeyInfo, PEM" }),
        },
        closed,
      ),
      response: Type.Object({
        tenant: named,
        node: named,
        certificate: Type.String({ description: "PEM" }),
        trustBundle: Type.String({ description: "PEM, one or more CA certificates" }),
        expiresAt: timeSchema,
      }),
      errors: ["join/token-invalid", "request/too-many", "input/too-large", "request/unsupported-media"],
    }),
  },
});
