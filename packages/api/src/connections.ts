import { connectionSpecSchema } from "@penstock/model";
import Type from "typebox";
import { tenantKind } from "./kind-routes.ts";
import { lineShares } from "./line-shapes.ts";
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
          predictedPercent: nullable(Type.Number({ description: "from the devices as they are described" })),
          predictedRequestsPerSecond: nullable(Type.Number()),
          unpredicted: nullable(Type.String({ description: "why nothing is predicted" })),
          most: lineShares,
          measuredPercent: nullable(Type.Number({ description: "over the last minute, by the gateway" })),
          requestsPerSecond: nullable(Type.Number({ description: "rounds in which a device was asked, measured" })),
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
