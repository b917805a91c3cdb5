import { nameSchema } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nullable, tenantParams } from "./shapes.ts";

const manifestSchema = Type.Record(Type.String(), Type.Unknown(), { description: "mapper.json as it is" });

/** The mappers that are known: what their devices may state, and by which rules. */
export const mappers = resource({
  name: "mappers",
  summary: "mappers and their manifests",
  routes: {
    list: route({
      method: "GET",
      path: "/api/v1/mappers",
      summary: "Lists the manifests of the mappers that the cloud was started with",
      permission: "self",
      response: Type.Object({ items: Type.Array(manifestSchema) }),
    }),
    ofTenant: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/mappers",
      summary: "Lists the mappers of the cloud and of the tenant's gateways, by name and version",
      permission: "devices:read",
      params: tenantParams,
      query: Type.Object(
        {
          node: Type.Optional(
            Type.String({ ...nameSchema, description: "only those by which this gateway's devices are checked" }),
          ),
        },
        closed,
      ),
      response: Type.Object({
        items: Type.Array(
          Type.Object({
            name: Type.String(),
            version: Type.String(),
            summary: nullable(Type.String()),
            cloud: Type.Boolean({ description: "the cloud was started with it" }),
            nodes: Type.Array(Type.String(), { description: "gateways that have it, at most 100" }),
            nodeCount: Type.Integer(),
            problem: nullable(Type.String({ description: "why devices are not checked by it" })),
            manifest: nullable(manifestSchema),
          }),
        ),
      }),
      errors: ["resource/not-found"],
    }),
  },
});
