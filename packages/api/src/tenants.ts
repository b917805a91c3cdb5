import { tenantSpecSchema } from "@penstock/model";
import Type from "typebox";
import { platformKind } from "./kind-routes.ts";
import { closed } from "./shapes.ts";

/** Enterprises: the isolation boundary. */
export const tenants = platformKind({
  name: "tenants",
  kind: "Tenant",
  summary: "tenants",
  read: "platform:read",
  write: "platform:write",
  input: tenantSpecSchema,
  spec: tenantSpecSchema,
  status: Type.Object({}, closed),
  example: { metadata: { name: "acme" }, spec: { retention: "365d" } },
});
