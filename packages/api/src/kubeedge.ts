import { findingLevels, kinds, limits, nameSchema } from "@penstock/model";
import Type from "typebox";
import { lineChanges } from "./line-shapes.ts";
import { resource, route } from "./route.ts";
import { closed, nullable, tenantParams } from "./shapes.ts";

const findings = Type.Array(
  Type.Object({
    index: nullable(
      Type.Integer({ description: "of the document in the request, from 0; null where documents come out" }),
    ),
    document: Type.String({ description: 'such as Device "temp-01"' }),
    field: Type.String({ description: "path as its author wrote it" }),
    value: Type.String(),
    level: Type.Enum([...findingLevels], {
      description: "note: kept in another form; lossy: not all is kept; refused: the document is left out",
    }),
    why: Type.String(),
    todo: Type.String(),
  }),
);
const document = Type.Record(Type.String(), Type.Unknown());

/** Devices as KubeEdge describes them. */
export const kubeedge = resource({
  name: "kubeedge",
  summary: "Device and DeviceModel documents of KubeEdge",
  routes: {
    importDocuments: route({
      method: "POST",
      exact: true,
      path: "/api/v1/tenants/{tenant}/kubeedge/import",
      summary:
        "Stores documents of v1alpha1, v1alpha2 and v1beta1 as Penstock's own, leaves out those that cannot work here, and names every field that is not kept as it was",
      permission: "devices:write",
      params: tenantParams,
      body: Type.Object(
        {
          documents: Type.Array(document, { minItems: 1, maxItems: limits.kubeedgeDocuments }),
          node: Type.Optional(nameSchema),
          dryRun: Type.Optional(Type.Boolean({ default: false, description: "check everything and store nothing" })),
        },
        closed,
      ),
      response: Type.Object({
        change: nullable(
          Type.Integer({ description: "what undo takes; null for a dry run, and when nothing changed" }),
        ),
        results: Type.Array(
          Type.Object({
            kind: Type.Enum([...kinds]),
            name: nameSchema,
            action: Type.Enum(["create", "update", "delete", "unchanged"]),
          }),
        ),
        lines: lineChanges,
        findings,
      }),
      errors: ["resource/not-found", "request/unsupported-media", "input/too-large"],
      examples: [
        {
          summary: "A model",
          body: {
            documents: [
              {
                apiVersion: "devices.kubeedge.io/v1beta1",
                kind: "DeviceModel",
                metadata: { name: "thermometer" },
                spec: {
                  protocol: "modbus",
                  properties: [{ name: "temperature", type: "FLOAT", accessMode: "ReadOnly" }],
                },
              },
            ],
          },
        },
      ],
    }),
    exportDevice: route({
      method: "GET",
      exact: true,
      path: "/api/v1/tenants/{tenant}/devices/{device}/kubeedge",
      summary: "Reads a device and its model as KubeEdge's v1beta1, and what of it has no place there",
      permission: "devices:read",
      params: Type.Object({ tenant: nameSchema, device: nameSchema }, closed),
      response: Type.Object({ documents: Type.Array(document), findings }),
      errors: ["resource/not-found", "resource/missing-reference"],
    }),
  },
});
