import { limits, propertyNamePattern } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { alarmSchema, closed, desiredSchema, nameSchema, readingSchema, tenantParams } from "./shapes.ts";

const many = <const T extends ReturnType<typeof Type.String>>(item: T) =>
  Type.Array(item, { maxItems: 100, description: "may be given several times" });

/** What a live stream says, one server-sent event each; `event` is the SSE event name and `data` this JSON. */
export const liveEvent = Type.Union([
  Type.Object({
    event: Type.Literal("readings"),
    data: Type.Object({ device: nameSchema, readings: Type.Array(readingSchema) }),
  }),
  Type.Object({ event: Type.Literal("twin"), data: desiredSchema }),
  Type.Object({ event: Type.Literal("alarm"), data: alarmSchema }),
  Type.Object({
    event: Type.Literal("dropped"),
    data: Type.Object({ events: Type.Integer({ description: "events left out since the stream began" }) }),
  }),
]);

/** Live values: the last ones first, then what arrives. */
export const live = resource({
  name: "live",
  summary: "live values",
  routes: {
    stream: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/live",
      summary: `Streams readings, twins and alarms; last values first. At most ${limits.liveSubscribersPerUser} streams a user`,
      permission: "devices:read",
      params: tenantParams,
      query: Type.Object(
        {
          device: Type.Optional(many(nameSchema)),
          property: Type.Optional(many(Type.String({ pattern: propertyNamePattern }))),
        },
        closed,
      ),
      response: liveEvent,
      format: "stream",
      errors: ["resource/not-found", "request/too-many"],
    }),
  },
});
