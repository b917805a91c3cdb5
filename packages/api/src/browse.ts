import { accesses, limits, valueTypes } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nameSchema } from "./shapes.ts";

const step = Type.String({ maxLength: 1024 });
const nodeSchema = Type.Object({
  name: Type.String(),
  path: Type.Array(Type.String(), { description: "what to ask for to see what lies below it" }),
  visitor: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: "set when it can be a property: what reads it" }),
  ),
  type: Type.Optional(Type.Enum([...valueTypes])),
  access: Type.Optional(Type.Enum([...accesses])),
  unit: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  hasChildren: Type.Optional(Type.Boolean()),
});

/** What lies at the other end of a connection, as its gateway answers now. */
export const browse = resource({
  name: "browse",
  summary: "what devices say they have",
  routes: {
    connection: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/connections/{connection}/browse",
      summary: "Lists what lies directly below a path at the other end of a connection; without a path the top",
      permission: "devices:write",
      params: Type.Object({ tenant: nameSchema, connection: nameSchema }, closed),
      query: Type.Object({ path: Type.Optional(Type.Array(step, { maxItems: limits.browsePathSteps })) }, closed),
      response: Type.Object({ nodes: Type.Array(nodeSchema, { description: `at most ${limits.browsedNodes}` }) }),
      errors: [
        "resource/not-found",
        "request/too-many",
        "link/closed",
        "mapper/unsupported",
        "mapper/not-found",
        "mapper/stopped",
        "mapper/timeout",
        "mapper/bad-address",
        "mapper/bad-answer",
        "mapper/connect-failed",
        "mapper/connection-lost",
      ],
    }),
  },
});
