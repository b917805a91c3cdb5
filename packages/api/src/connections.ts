import { connectionSpecSchema } from "@penstock/model";
import Type from "typebox";
import { tenantKind } from "./kind-routes.ts";
import { closed, nullable } from "./shapes.ts";

/** Buses that devices share. */
export const connections = tenantKind({
  name: "connections",
  kind: "Connection",
  summary: "connections",
  read: "devices:read",
  write: "devices:write",
  input: connectionSpecSchema,
  spec: connectionSpecSchema,
  status: Type.Object(
    {
      state: Type.Enum(["up", "down", "idle", "unknown"]),
      reason: nullable(Type.String()),
      message: nullable(Type.String()),
      load: Type.Object(
        {
          predictedPercent: nullable(Type.Number()),
          measuredPercent: nullable(Type.Number()),
          requestsPerSecond: nullable(Type.Number()),
        },
        closed,
      ),
    },
    closed,
  ),
  example: {
    metadata: { name: "bus-a" },
    spec: { node: "gw-01", protocol: "modbus", settings: { host: "10.0.4.12", port: 502 } },
  },
});
