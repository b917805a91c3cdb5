import { deviceModelSpecSchema, durationSchema, limits, nameSchema, originKinds } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nullable, timeSchema } from "./shapes.ts";

const json = Type.Unknown({ description: "as it is written in YAML or JSON" });
const deviceParams = Type.Object({ tenant: nameSchema, device: nameSchema }, closed);
const modelParams = Type.Object({ tenant: nameSchema, name: nameSchema }, closed);
const models = "/api/v1/tenants/{tenant}/devicemodels/{name}";

const rolloutView = Type.Object({
  model: nameSchema,
  state: Type.Enum(["starting", "running", "paused", "stopped", "cancelling", "done", "cancelled"]),
  message: nullable(Type.String({ description: "why it stopped" })),
  waves: Type.Array(Type.Object({ devices: Type.Array(Type.String()), reached: Type.Boolean() })),
  dueAt: nullable(timeSchema),
  startedBy: Type.String(),
  startedAt: timeSchema,
  updatedAt: timeSchema,
});

/** Models and what becomes of them in devices. */
export const modelling = resource({
  name: "modelling",
  summary: "models made of devices, where values come from, and edits that reach devices in waves",
  routes: {
    effective: route({
      method: "GET",
      exact: true,
      path: "/api/v1/tenants/{tenant}/devices/{device}/effective",
      summary: "Reads every field of a device as it counts in the end, and who says so",
      permission: "devices:read",
      params: deviceParams,
      response: Type.Object({
        device: nameSchema,
        model: nullable(nameSchema),
        fields: Type.Array(
          Type.Object({
            field: Type.String(),
            value: json,
            origin: Type.Enum([...originKinds]),
            from: nullable(Type.String({ description: "name of the model, connection or mapper" })),
          }),
        ),
      }),
      errors: ["resource/not-found"],
    }),
    extractModel: route({
      method: "POST",
      exact: true,
      path: "/api/v1/tenants/{tenant}/devices/{device}/extract-model",
      summary: "Makes a model of what devices have in common; in effect each stays what it was",
      permission: "devices:write",
      params: deviceParams,
      body: Type.Object(
        {
          model: nameSchema,
          of: Type.Optional(Type.Array(nameSchema, { maxItems: limits.changesPerRequest })),
          dryRun: Type.Optional(Type.Boolean({ default: false })),
        },
        closed,
      ),
      response: Type.Object({
        model: Type.Object({ name: nameSchema, spec: json }),
        devices: Type.Array(Type.Object({ name: nameSchema, spec: json })),
      }),
      errors: [
        "resource/not-found",
        "resource/name-taken",
        "request/precondition-failed",
        "request/unsupported-media",
        "input/too-large",
      ],
      examples: [{ summary: "A model of two thermometers", body: { model: "thermometer", of: ["temp-02"] } }],
    }),
    preview: route({
      method: "POST",
      exact: true,
      path: `${models}/preview`,
      summary: "Says which devices an edit of the model would touch and what it changes in each; stores nothing",
      permission: "devices:read",
      params: modelParams,
      body: Type.Object({ spec: deviceModelSpecSchema }, closed),
      response: Type.Object({
        model: nameSchema,
        touches: Type.Array(
          Type.Object({
            device: nameSchema,
            node: nameSchema,
            changes: Type.Array(Type.Object({ field: Type.String(), before: json, after: json })),
            changed: Type.Integer({ description: "how many there are, of which changes holds up to 200" }),
            breaks: Type.Array(Type.Object({ field: Type.String(), value: Type.String(), rule: Type.String() })),
          }),
        ),
        untouched: Type.Integer(),
      }),
      errors: ["resource/not-found", "request/unsupported-media", "input/too-large"],
      examples: [{ summary: "Another unit", body: { spec: { properties: { t: { type: "float64", unit: "K" } } } } }],
    }),
    getRollout: route({
      method: "GET",
      path: `${models}/rollout`,
      summary: "Reads how far the model's latest rollout has come",
      permission: "devices:read",
      params: modelParams,
      response: rolloutView,
      errors: ["resource/not-found"],
    }),
    beginRollout: route({
      method: "PUT",
      exact: true,
      path: `${models}/rollout`,
      summary: "Replaces the model; its devices take the new version in waves, and all stops when a wave is not well",
      permission: "devices:write",
      safety: "match",
      params: modelParams,
      body: Type.Object(
        {
          spec: deviceModelSpecSchema,
          waves: Type.String({ maxLength: 256, description: "how many have it after each wave: 1,10%,100%" }),
          pause: durationSchema,
        },
        closed,
      ),
      response: rolloutView,
      errors: [
        "resource/not-found",
        "resource/rolling-out",
        "request/precondition-required",
        "request/precondition-failed",
        "request/unsupported-media",
        "input/too-large",
      ],
      examples: [
        {
          summary: "One device first, then a tenth of them, then all",
          body: { spec: { properties: { t: { type: "float64" } } }, waves: "1,10%,100%", pause: "10m" },
        },
      ],
    }),
    actRollout: route({
      method: "POST",
      path: `${models}/rollout/{action}`,
      summary: "Pauses or resumes a rollout, or gives all devices the version before and ends it",
      permission: "devices:write",
      params: Type.Object({ ...modelParams.properties, action: Type.Enum(["pause", "resume", "cancel"]) }, closed),
      response: rolloutView,
      errors: ["resource/not-found", "request/precondition-failed"],
    }),
  },
});
