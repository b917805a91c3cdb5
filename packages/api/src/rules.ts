import { ruleSpecSchema } from "@penstock/model";
import Type from "typebox";
import { tenantKind } from "./kind-routes.ts";
import { closed, nullable } from "./shapes.ts";

/** SQL over what gateways collect, and what is done with each result. */
export const rules = tenantKind({
  name: "rules",
  kind: "Rule",
  summary: "rules",
  read: "devices:read",
  write: "devices:write",
  input: ruleSpecSchema,
  spec: ruleSpecSchema,
  status: Type.Object(
    {
      nodes: Type.Array(
        Type.Object(
          {
            node: Type.String(),
            state: Type.Enum(["running", "stopped", "refused", "failed", "waiting", "unknown"]),
            generation: nullable(Type.Integer({ description: "the one that the gateway has" })),
            reason: nullable(Type.String()),
            message: nullable(Type.String()),
            rowsIn: Type.Integer({ description: "since it began there" }),
            rowsOut: Type.Integer(),
            errors: Type.Integer({
              description: "rows that could not be computed, and actions that could not be done",
            }),
            lastError: nullable(Type.String()),
          },
          closed,
        ),
        { description: "the gateways it is for, by name; at most 1000" },
      ),
    },
    closed,
  ),
  example: {
    metadata: { name: "clean-temperature" },
    spec: {
      nodes: ["gw-01"],
      sql: "SELECT avg(temperature) AS mean FROM `oven-01` GROUP BY TUMBLINGWINDOW(ss, 10)",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a column of the result
      actions: [{ mqtt: { topic: "plant/oven-01/mean", template: "${mean}" } }],
    },
  },
});
