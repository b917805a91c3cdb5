import { limits } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nameSchema, timeSchema } from "./shapes.ts";

const who = Type.Object({ user: nameSchema, role: Type.String(), expiresAt: timeSchema });

/** Logging in and out. A browser asks for a cookie and gets no token; a program gets a Bearer token. */
export const session = resource({
  name: "session",
  summary: "logins",
  routes: {
    login: route({
      method: "POST",
      path: "/api/v1/login",
      summary:
        "Logs in; with cookie: true the answer sets an HttpOnly, SameSite=Strict cookie instead of giving a token",
      permission: null,
      body: Type.Object(
        {
          user: Type.String({ minLength: 1, maxLength: 63 }),
          password: Type.String({ minLength: 1, maxLength: limits.passwordBytes }),
          cookie: Type.Optional(Type.Boolean()),
        },
        closed,
      ),
      response: Type.Object({ ...who.properties, token: Type.Union([Type.String(), Type.Null()]) }),
      errors: [
        "request/unauthenticated",
        "request/too-many",
        "input/too-large",
        "request/wrong-origin",
        "request/unsupported-media",
      ],
      examples: [{ summary: "A program", body: { user: "admin", password: "…" } }],
    }),
    logout: route({
      method: "POST",
      path: "/api/v1/logout",
      summary: "Ends this login: its token or cookie is worthless afterwards",
      permission: "self",
      format: "none",
      success: 204,
      errors: ["request/wrong-origin"],
    }),
    get: route({
      method: "GET",
      path: "/api/v1/session",
      summary: "Says who is logged in and until when",
      permission: "self",
      response: who,
    }),
  },
});
