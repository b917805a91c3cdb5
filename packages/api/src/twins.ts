import { propertyNamePattern } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import {
  closed,
  desiredSchema,
  deviceErrors,
  durationSchema,
  nameSchema,
  twinMethodSchema,
  twinPropertySchema,
  valueSchema,
} from "./shapes.ts";

const propertyParams = Type.Object(
  { tenant: nameSchema, device: nameSchema, property: Type.String({ pattern: propertyNamePattern }) },
  closed,
);

/** What a device reports and what it is wanted to be. */
export const twins = resource({
  name: "twins",
  summary: "twins and desired values",
  routes: {
    get: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/devices/{device}/twin",
      summary: "Reads a device's properties with their reported and desired values, and its methods",
      permission: "devices:read",
      params: Type.Object({ tenant: nameSchema, device: nameSchema }, closed),
      response: Type.Object({
        device: nameSchema,
        properties: Type.Array(twinPropertySchema),
        methods: Type.Array(twinMethodSchema),
      }),
      errors: ["resource/not-found"],
    }),
    getDesired: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/devices/{device}/properties/{property}/desired",
      summary: "Reads the latest desired value with its state",
      permission: "devices:read",
      params: propertyParams,
      response: desiredSchema,
      errors: ["resource/not-found", "twin/unknown-property"],
    }),
    setDesired: route({
      method: "PUT",
      path: "/api/v1/tenants/{tenant}/devices/{device}/properties/{property}/desired",
      summary: "Sets a desired value and waits for its outcome; 202 with the state when the wait runs out",
      permission: "devices:operate",
      safety: "key",
      params: propertyParams,
      query: Type.Object({ wait: Type.Optional(durationSchema) }, closed),
      body: Type.Object({ value: valueSchema, ttl: Type.Optional(durationSchema) }, closed),
      response: desiredSchema,
      pending: true,
      errors: [
        "resource/not-found",
        "request/key-reused",
        "request/unsupported-media",
        "input/too-large",
        "twin/unknown-property",
        "twin/read-only",
        "twin/wrong-type",
        "twin/out-of-range",
        "twin/expired",
        "twin/superseded",
        "twin/not-confirmed",
        ...deviceErrors,
      ],
      examples: [{ summary: "A speed, for at most five minutes", body: { value: 42, ttl: "5m" } }],
    }),
  },
});
