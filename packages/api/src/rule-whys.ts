import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nameSchema, timeSchema } from "./shapes.ts";

/** What keeps a rule silent, by which programs decide; people read the sentence. */
const ruleCauses = [
  "node-offline",
  "not-told",
  "waiting",
  "stopped",
  "refused",
  "failed",
  "no-readings",
  "never-true",
  "window-open",
  "failing",
  "alarm-shelved",
  "alarm-stands",
  "alarm-quiet",
  "not-silent",
] as const;
export type RuleCause = (typeof ruleCauses)[number];

/** Why a rule is silent. */
export const ruleWhys = resource({
  name: "rule-whys",
  summary: "why rules are silent",
  routes: {
    get: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/rules/{name}/why",
      summary:
        "Says at each gateway of a rule what keeps it from acting: from its status, the last values of its devices and its query",
      permission: "devices:read",
      params: Type.Object({ tenant: nameSchema, name: nameSchema }, closed),
      response: Type.Object({
        name: nameSchema,
        assigned: Type.Boolean({ description: "false: it is for no gateway that there is" }),
        why: Type.String({ description: "for people; of all its gateways" }),
        nodes: Type.Array(
          Type.Object({
            node: nameSchema,
            cause: Type.Enum([...ruleCauses], { description: "the first that holds, in this order" }),
            why: Type.String({ description: "one or more sentences for people, the first of them of the cause" }),
          }),
          { description: "by name, at most 1000; the first 100 are looked at closely" },
        ),
        at: timeSchema,
      }),
      errors: ["resource/not-found"],
    }),
  },
});
