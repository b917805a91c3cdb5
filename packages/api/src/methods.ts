import { limits, propertyNamePattern } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { callSchema, closed, deviceErrors, durationSchema, nameSchema, valueSchema } from "./shapes.ts";

const named = Type.String({ pattern: propertyNamePattern });
const params = { tenant: nameSchema, device: nameSchema, method: named };
const path = "/api/v1/tenants/{tenant}/devices/{device}/methods/{method}";

/** Acts of a device, each carried out at most once. */
export const methods = resource({
  name: "methods",
  summary: "calls of methods",
  routes: {
    call: route({
      method: "POST",
      path,
      summary: "Calls a method, at most once, and waits for its end; 202 with the state when the wait runs out",
      permission: "devices:operate",
      safety: "key",
      params: Type.Object(params, closed),
      query: Type.Object({ wait: Type.Optional(durationSchema) }, closed),
      body: Type.Object(
        {
          arguments: Type.Optional(Type.Record(named, valueSchema, { maxProperties: limits.argumentsPerMethod })),
          timeout: Type.Optional(durationSchema),
        },
        closed,
      ),
      response: callSchema,
      pending: true,
      errors: [
        "resource/not-found",
        "request/key-reused",
        "request/unsupported-media",
        "input/too-large",
        "twin/unknown-method",
        "twin/unknown-property",
        "twin/held",
        "twin/expired",
        "twin/outcome-unknown",
        "twin/not-confirmed",
        "twin/wrong-type",
        "twin/out-of-range",
        "twin/read-only",
        "mapper/unsupported",
        "mapper/not-found",
        ...deviceErrors,
      ],
      examples: [{ summary: "A batch of 12 parts", body: { arguments: { parts: 12 }, timeout: "30s" } }],
    }),
    get: route({
      method: "GET",
      path: `${path}/calls/{id}`,
      summary: "Reads a call with its state, result and times",
      permission: "devices:read",
      params: Type.Object({ ...params, id: Type.String({ pattern: "^[0-9a-f]{32}$" }) }, closed),
      response: callSchema,
      errors: ["resource/not-found"],
    }),
    calls: route({
      method: "GET",
      path: `${path}/calls`,
      summary: "Lists the latest calls of a method, newest first; they are kept for 30 days",
      permission: "devices:read",
      params: Type.Object(params, closed),
      query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.listPage })) }, closed),
      response: Type.Object({ items: Type.Array(callSchema) }),
      errors: ["resource/not-found"],
    }),
  },
});
