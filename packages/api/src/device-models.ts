import { deviceModelSpecSchema } from "@penstock/model";
import Type from "typebox";
import { tenantKind } from "./kind-routes.ts";
import { closed } from "./shapes.ts";

/** Templates that devices take defaults from. */
export const deviceModels = tenantKind({
  name: "devicemodels",
  kind: "DeviceModel",
  summary: "device models",
  read: "devices:read",
  write: "devices:write",
  input: deviceModelSpecSchema,
  spec: deviceModelSpecSchema,
  status: Type.Object({}, closed),
  example: {
    metadata: { name: "thermometer" },
    spec: { properties: { temperature: { type: "float64", unit: "Cel", minimum: -40, maximum: 120 } } },
  },
});
