import Type from "typebox";
import { resource, route } from "./route.ts";

/** The mappers that the server knows: what their devices may state, and by which rules. */
export const mappers = resource({
  name: "mappers",
  summary: "mappers and their manifests",
  routes: {
    list: route({
      method: "GET",
      path: "/api/v1/mappers",
      summary: "Lists the installed mappers' manifests, by which devices are checked",
      permission: "self",
      response: Type.Object({
        items: Type.Array(Type.Record(Type.String(), Type.Unknown(), { description: "mapper.json as it is" })),
      }),
    }),
  },
});
