import { type Kind, kinds, limits, nameSchema } from "@penstock/model";
import Type from "typebox";
import { dryRunQuery, numberInPath, pageFields } from "./history-shapes.ts";
import { lineChanges } from "./line-shapes.ts";
import { resource, route } from "./route.ts";
import { closed, nullable, page, tenantParams, timeSchema } from "./shapes.ts";

const params = Type.Object({ ...tenantParams.properties, change: numberInPath }, closed);
const changeFields = {
  change: Type.Integer({ description: "its number, from 1 in each tenant" }),
  reason: Type.Enum(["edit", "copy", "import", "restore", "undo"]),
  note: nullable(Type.String()),
  actor: Type.String(),
  at: timeSchema,
  resources: Type.Integer({ description: "how many it changed" }),
  undoes: nullable(Type.Integer()),
  undoneBy: nullable(Type.Integer()),
};
const changedResource = {
  kind: Type.Enum([...kinds]),
  name: nameSchema,
  uid: Type.String(),
  action: Type.Enum(["create", "update", "delete"]),
  version: Type.Integer(),
};

const documentsOf = (allowed: readonly Kind[]) =>
  Type.Object(
    {
      documents: Type.Array(
        Type.Object({ kind: Type.Enum([...allowed]), metadata: Type.Object({ name: nameSchema }) }),
        { minItems: 1, maxItems: limits.changesPerRequest, description: "whole documents, as PUT takes them" },
      ),
    },
    closed,
  );
const results = Type.Array(
  Type.Object({
    kind: Type.Enum([...kinds]),
    name: nameSchema,
    action: Type.Enum(["create", "update", "delete", "unchanged"]),
  }),
);

/** Kinds that can be stored as one change. */
export const appliedTogether = ["Connection", "DeviceModel", "Device"] as const satisfies readonly Kind[];

/** What was changed at once, and how to take it back. */
export const changes = resource({
  name: "changes",
  summary: "change sets: what was changed at once",
  routes: {
    list: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/changes",
      summary: "Lists change sets, the newest first",
      permission: "devices:read",
      params: tenantParams,
      query: Type.Object(pageFields, closed),
      response: page(Type.Object(changeFields)),
      errors: ["resource/not-found"],
    }),
    apply: route({
      method: "POST",
      exact: true,
      path: "/api/v1/tenants/{tenant}/changes",
      summary:
        "Creates or replaces what documents describe, all of it or nothing, as one change set; each is checked against what is there once all are stored",
      permission: "devices:write",
      params: tenantParams,
      // Those that this permission is for; a gateway is made by itself.
      body: documentsOf(appliedTogether),
      response: Type.Object({
        change: nullable(Type.Integer({ description: "what undo takes; null when nothing changed" })),
        results,
      }),
      errors: ["resource/not-found", "input/unknown-kind", "request/unsupported-media", "input/too-large"],
      examples: [
        {
          summary: "Two devices trade places on their line",
          body: {
            documents: (
              [
                ["press-1", 2],
                ["press-2", 1],
              ] as const
            ).map(([name, unitId]) => ({
              kind: "Device",
              metadata: { name },
              spec: { node: "gw-01", connection: "bus-a", address: { unitId }, model: "press" },
            })),
          },
        },
      ],
    }),
    preview: route({
      method: "POST",
      exact: true,
      path: "/api/v1/tenants/{tenant}/changes/preview",
      summary: "Says what documents would change together, and the load their lines would have; stores nothing",
      permission: "devices:write",
      params: tenantParams,
      body: documentsOf(kinds),
      response: Type.Object({ results, lines: lineChanges }),
      errors: ["resource/not-found", "input/unknown-kind", "request/unsupported-media", "input/too-large"],
      examples: [
        {
          summary: "A line, before it is there",
          body: {
            documents: [
              {
                kind: "Connection",
                metadata: { name: "bus-a" },
                spec: { node: "gw-01", protocol: "modbus", settings: { transport: "rtu", path: "/dev/ttyS0" } },
              },
            ],
          },
        },
      ],
    }),
    get: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/changes/{change}",
      summary: "Reads one change set and the resources that it changed",
      permission: "devices:read",
      params,
      response: Type.Object({ ...changeFields, changed: Type.Array(Type.Object(changedResource)) }),
      errors: ["resource/not-found"],
    }),
    undo: route({
      method: "POST",
      path: "/api/v1/tenants/{tenant}/changes/{change}/undo",
      summary: "Makes all that a change set touched what it was before, unless any of it has changed since",
      permission: "devices:write",
      params,
      query: dryRunQuery,
      response: Type.Object({
        change: nullable(Type.Integer({ description: "number of the undo itself; null for a dry run" })),
        undoes: Type.Integer(),
        results: Type.Array(Type.Object({ kind: Type.Enum([...kinds]), name: nameSchema, action: Type.String() })),
      }),
      errors: ["resource/not-found", "resource/changed-since"],
    }),
  },
});
