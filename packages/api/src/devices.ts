import { deviceSpecSchema, limits, propertyNamePattern, propertyOverrideSchema } from "@penstock/model";
import Type from "typebox";
import { tenantKind } from "./kind-routes.ts";
import { nullable, timeSchema } from "./shapes.ts";

/** As DeviceSpec, but a property need not repeat what the model says: whether a type is there is known after merging. */
const deviceInput = Type.Object(
  {
    ...deviceSpecSchema.properties,
    properties: Type.Optional(
      Type.Record(Type.String({ pattern: propertyNamePattern }), propertyOverrideSchema, {
        maxProperties: limits.propertiesPerDevice,
      }),
    ),
  },
  { additionalProperties: false },
);

/** Machines, complete or with defaults from a model. */
export const devices = tenantKind({
  name: "devices",
  kind: "Device",
  summary: "devices",
  read: "devices:read",
  write: "devices:write",
  input: deviceInput,
  spec: deviceInput,
  status: Type.Object({
    state: Type.Enum(["online", "offline", "unknown"]),
    reason: nullable(Type.String()),
    message: nullable(Type.String()),
    since: nullable(timeSchema),
    lastReadingAt: nullable(timeSchema),
    cycles: Type.Array(
      Type.Object(
        {
          cadence: Type.String(),
          properties: Type.Integer(),
          measuredMs: nullable(Type.Number()),
          longestMs: nullable(Type.Number()),
          reportMs: nullable(Type.Number()),
          overruns: Type.Integer({ description: "cycles skipped since the gateway began with this device" }),
          isOverrun: Type.Boolean({ description: "it cannot keep its cadence now" }),
        },
        { additionalProperties: false },
      ),
    ),
    findings: Type.Array(
      Type.Object({ field: Type.String(), value: Type.String(), rule: Type.String() }, { additionalProperties: false }),
      { description: "what breaks a rule of the mapper that its gateway has now" },
    ),
  }),
  example: {
    metadata: { name: "temp-01", labels: { line: "filling" } } as { name: string },
    spec: {
      node: "gw-01",
      connection: "bus-a",
      address: { unitId: 3 },
      properties: {
        temperature: {
          type: "float64",
          unit: "Cel",
          visitor: { table: "holding", offset: 0, raw: "int16", scale: 0.1 },
          collect: { every: "1s" },
        },
      },
    },
  },
});
