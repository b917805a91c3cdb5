import { nodeSpecSchema } from "@penstock/model";
import Type from "typebox";
import { tenantKind } from "./kind-routes.ts";
import { nullable, timeSchema } from "./shapes.ts";

/** Gateways. Status is derived from the link: it cannot be written. */
export const nodes = tenantKind({
  name: "nodes",
  kind: "Node",
  summary: "gateways",
  read: "nodes:read",
  write: "nodes:write",
  input: nodeSpecSchema,
  spec: nodeSpecSchema,
  status: Type.Object({
    connected: Type.Boolean(),
    lastSeenAt: nullable(timeSchema),
    agentVersion: nullable(Type.String()),
    joined: Type.Boolean(),
    outbox: nullable(
      Type.Object({
        readings: Type.Integer(),
        bytes: Type.Integer(),
        oldestAgeMs: Type.Number(),
        dropped: Type.Integer(),
        refused: Type.Integer({
          description: "readings not taken while it or the disk was full, since the agent started",
        }),
        full: Type.Boolean(),
      }),
    ),
    counters: Type.Record(Type.String(), Type.Integer(), {
      description: "what the agent dropped or refused since it started, by metric name; what is 0 is left out",
    }),
    certificateExpiresAt: nullable(timeSchema),
  }),
  example: { metadata: { name: "gw-01" }, spec: { timeZone: "Asia/Shanghai" } },
});
