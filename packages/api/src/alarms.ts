import { alarmActKinds, alarmStates, limits, severities } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import {
  alarmActSchema,
  alarmSchema,
  alarmTransitionSchema,
  closed,
  durationSchema,
  nameSchema,
  page,
  tenantParams,
} from "./shapes.ts";

const path = "/api/v1/tenants/{tenant}/alarms/{id}";
const params = Type.Object({ tenant: nameSchema, id: Type.String({ pattern: "^[0-9a-f]{32}$" }) }, closed);
const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.listPage, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
};

/** What needs somebody's eye: raised by rules at gateways, and by the system itself. */
export const alarms = resource({
  name: "alarms",
  summary: "alarms",
  routes: {
    list: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/alarms",
      summary: "Lists alarms, the last raised first",
      permission: "nodes:read",
      params: tenantParams,
      query: Type.Object(
        {
          active: Type.Optional(Type.Boolean({ description: "true: only those not cleared" })),
          state: Type.Optional(Type.Enum([...alarmStates])),
          severity: Type.Optional(Type.Enum([...severities])),
          device: Type.Optional(nameSchema),
          rule: Type.Optional(nameSchema),
          shelved: Type.Optional(Type.Boolean()),
          ...paging,
        },
        closed,
      ),
      response: page(alarmSchema),
      errors: ["resource/not-found"],
    }),
    get: route({
      method: "GET",
      path,
      summary: "Reads an alarm",
      permission: "nodes:read",
      params,
      response: alarmSchema,
      errors: ["resource/not-found"],
    }),
    history: route({
      method: "GET",
      path: `${path}/history`,
      summary: "Lists what happened to an alarm, oldest first; it is kept for a year",
      permission: "nodes:read",
      params,
      query: Type.Object(paging, closed),
      response: page(alarmTransitionSchema),
      errors: ["resource/not-found"],
    }),
    act: route({
      method: "POST",
      path: `${path}/acts`,
      summary:
        "Acknowledges, shelves, unshelves or comments an alarm; 202 while its gateway has not answered, which it does when it is back",
      permission: "devices:operate",
      safety: "key",
      params,
      query: Type.Object({ wait: Type.Optional(durationSchema) }, closed),
      body: Type.Object(
        {
          kind: Type.Enum([...alarmActKinds]),
          comment: Type.Optional(Type.String({ minLength: 1, maxLength: limits.alarmCommentChars })),
          /** of shelve; left out: until the alarm has returned to normal once */
          for: Type.Optional(durationSchema),
        },
        closed,
      ),
      response: alarmActSchema,
      pending: true,
      errors: [
        "resource/not-found",
        "request/key-reused",
        "request/unsupported-media",
        "input/too-large",
        "rules/no-alarm",
      ],
      examples: [{ summary: "Seen, and somebody goes", body: { kind: "acknowledge", comment: "Going to look" } }],
    }),
  },
});
