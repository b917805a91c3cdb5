import Type from "typebox";
import { resource, route } from "./route.ts";

const health = Type.Object({ status: Type.Enum(["ok", "failing"]), failing: Type.Array(Type.String()) });

/** What load balancers, monitors and client generators ask. */
export const system = resource({
  name: "system",
  summary: "health and description",
  routes: {
    health: route({
      method: "GET",
      path: "/healthz",
      summary: "Answers as long as the process does",
      permission: null,
      response: health,
    }),
    ready: route({
      method: "GET",
      path: "/readyz",
      summary: "Answers 200 when requests can be served, 503 and what fails when not",
      permission: null,
      response: health,
      errors: ["aborted"],
    }),
    metrics: route({
      method: "GET",
      path: "/metrics",
      summary: "Counters and gauges in the Prometheus text format",
      permission: "platform:read",
      response: Type.String(),
      format: "text",
    }),
    openapi: route({
      method: "GET",
      path: "/openapi.json",
      summary: "This contract as OpenAPI 3.1",
      permission: null,
      response: Type.Unknown(),
    }),
  },
});
