import { limits } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { alarmSchema, closed, page, tenantParams } from "./shapes.ts";

/** What needs somebody's eye. */
export const alarms = resource({
  name: "alarms",
  summary: "alarms",
  routes: {
    list: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/alarms",
      summary: "Lists alarms, the last raised first",
      permission: "nodes:read",
      params: tenantParams,
      query: Type.Object(
        {
          active: Type.Optional(Type.Boolean({ description: "true: only those not cleared" })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.listPage, default: 100 })),
          cursor: Type.Optional(Type.String({ maxLength: 512 })),
        },
        closed,
      ),
      response: page(alarmSchema),
      errors: ["resource/not-found"],
    }),
  },
});
