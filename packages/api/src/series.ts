import { limits, propertyNamePattern, valueTypes } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nameSchema, nullable, readingSchema, timeSchema } from "./shapes.ts";

export const aggregates = ["raw", "mean", "min", "max", "sum", "count", "first", "last", "minmax"] as const;

/** RFC 3339, "now", or a duration before now such as "-1h30m". */
const moment = Type.String({
  maxLength: 40,
  pattern: "^(now|-(\\d+(\\.\\d+)?(ms|s|m|h|d))+|\\d{4}-\\d{2}-\\d{2}[Tt].+)$",
  description: "RFC 3339, now, or a duration before now such as -1h",
});

const { time, value, quality, reason } = readingSchema.properties;

/** Stored readings, raw or down-sampled. */
export const series = resource({
  name: "series",
  summary: "stored readings",
  routes: {
    query: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/devices/{device}/properties/{property}/series",
      summary: "Reads stored readings of one property with from ≤ time < to, sorted by source time",
      permission: "devices:read",
      params: Type.Object(
        { tenant: nameSchema, device: nameSchema, property: Type.String({ pattern: propertyNamePattern }) },
        closed,
      ),
      query: Type.Object(
        {
          from: Type.Optional(moment),
          to: Type.Optional(moment),
          points: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.seriesPoints, default: 1000 })),
          aggregate: Type.Optional(Type.Enum([...aggregates], { default: "raw" })),
        },
        closed,
      ),
      response: Type.Object({
        device: nameSchema,
        property: Type.String(),
        type: nullable(Type.Enum([...valueTypes])),
        unit: nullable(Type.String()),
        from: timeSchema,
        to: timeSchema,
        aggregate: Type.Enum([...aggregates]),
        points: Type.Array(Type.Object({ time, value, quality, reason })),
        truncated: Type.Boolean({ description: "raw only: there were more readings than points" }),
      }),
      errors: ["resource/not-found", "twin/unknown-property"],
    }),
  },
});
