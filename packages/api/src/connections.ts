import { connectionSpecSchema } from "@penstock/model";
import Type from "typebox";
import { tenantKind } from "./kind-routes.ts";
import { closed } from "./shapes.ts";

/** Buses that devices share. */
export const connections = tenantKind({
  name: "connections",
  kind: "Connection",
  summary: "connections",
  read: "devices:read",
  write: "devices:write",
  input: connectionSpecSchema,
  spec: connectionSpecSchema,
  status: Type.Object({}, closed),
  example: {
    metadata: { name: "bus-a" },
    spec: { node: "gw-01", protocol: "modbus", settings: { host: "10.0.4.12", port: 502 } },
  },
});
