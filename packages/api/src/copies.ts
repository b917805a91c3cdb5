import { copyPatternSchema, copyStepsSchema, nameSchema } from "@penstock/model";
import Type from "typebox";
import { lineChanges } from "./line-shapes.ts";
import { resource, route } from "./route.ts";
import { closed, nullable } from "./shapes.ts";

const json = Type.Unknown({ description: "as it is written in YAML or JSON" });

/** Copies of a device, named by a pattern, with some of its fields stepped on. */
export const copies = resource({
  name: "copies",
  summary: "copies of a device by a pattern",
  routes: {
    create: route({
      method: "POST",
      exact: true,
      path: "/api/v1/tenants/{tenant}/devices/{device}/copy",
      summary: "Copies a device to every name of a pattern, all or none; with dryRun it says what would come of it",
      permission: "devices:write",
      params: Type.Object({ tenant: nameSchema, device: nameSchema }, closed),
      body: Type.Object(
        {
          pattern: copyPatternSchema,
          steps: Type.Optional(copyStepsSchema),
          dryRun: Type.Optional(Type.Boolean({ default: false })),
        },
        closed,
      ),
      response: Type.Object({
        device: nameSchema,
        change: nullable(Type.Integer({ description: "what undo takes; null for a dry run" })),
        lines: lineChanges,
        rows: Type.Array(
          Type.Object({
            row: Type.Integer({ description: "from 1, in the order of the pattern" }),
            name: nameSchema,
            fields: Type.Array(
              Type.Object({
                field: Type.String(),
                step: Type.String({ description: "as it was asked for" }),
                from: json,
                to: json,
              }),
            ),
          }),
        ),
      }),
      errors: ["resource/not-found", "request/unsupported-media", "input/too-large"],
      examples: [
        {
          summary: "Nine more sensors, two registers apart",
          body: { pattern: "temp-{02..10}", steps: { "visitor.offset": 2 }, dryRun: true },
        },
      ],
    }),
  },
});
