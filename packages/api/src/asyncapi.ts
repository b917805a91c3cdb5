import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nameSchema } from "./shapes.ts";

/** What a gateway says over MQTT, for whoever writes an application beside it. */
export const asyncapi = resource({
  name: "asyncapi",
  summary: "documents of what gateways publish",
  routes: {
    node: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/nodes/{node}/asyncapi",
      summary: "Describes the MQTT topics of a gateway and their messages as AsyncAPI 3.0, from its devices",
      permission: "devices:read",
      params: Type.Object({ tenant: nameSchema, node: nameSchema }, closed),
      response: Type.Record(Type.String(), Type.Unknown(), { description: "an AsyncAPI 3.0.0 document" }),
      errors: ["resource/not-found"],
    }),
  },
});
