import { limits } from "@penstock/model";
import Type from "typebox";
import { platformKind } from "./kind-routes.ts";
import { closed } from "./shapes.ts";

/** Platform-wide for now: every user is an administrator of all tenants. */
const spec = Type.Object({ role: Type.Literal("administrator") }, closed);

/** The password goes in and never comes out. */
const input = Type.Object(
  {
    role: Type.Literal("administrator"),
    password: Type.Optional(Type.String({ minLength: 12, maxLength: limits.passwordBytes })),
  },
  closed,
);

/** People who log in. */
export const users = platformKind({
  name: "users",
  kind: "User",
  summary: "users",
  read: "platform:read",
  write: "platform:write",
  input,
  spec,
  status: Type.Object({}, closed),
  example: { metadata: { name: "operator" }, spec: { role: "administrator", password: "a long pass phrase" } },
});
