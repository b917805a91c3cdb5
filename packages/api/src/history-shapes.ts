import { limits, nameSchema } from "@penstock/model";
import Type from "typebox";
import { closed, nullable, timeSchema } from "./shapes.ts";

/** Shapes of what was: versions, change sets, dry runs. */
export const dryRunQuery = Type.Object(
  { dryRun: Type.Optional(Type.Boolean({ default: false, description: "check everything and store nothing" })) },
  closed,
);
export const pageFields = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.listPage, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 512, description: "from the answer before" })),
};
export const ofDeleted = {
  uid: Type.Optional(
    Type.String({ pattern: "^[0-9a-f]{32}$", description: "of a deleted one, when another has its name now" }),
  ),
};
/** as text, since it stands in a path */
export const numberInPath = Type.String({ pattern: "^[1-9]\\d{0,14}$" });
export const versionNumber = Type.Integer({ minimum: 1, description: "counts stored changes of the resource" });

const versionFields = {
  version: versionNumber,
  uid: Type.String(),
  action: Type.Enum(["create", "update", "delete"]),
  generation: Type.Integer(),
  change: nullable(Type.Integer({ description: "the change set that it came with" })),
  actor: Type.String(),
  at: timeSchema,
};
export const versionView = Type.Object(versionFields);
export const versionDocument = Type.Object({
  ...versionFields,
  metadata: Type.Object({
    name: nameSchema,
    displayName: Type.Optional(Type.String()),
    labels: Type.Record(Type.String(), Type.String()),
  }),
  spec: Type.Unknown({ description: "as it was stored" }),
});
export const deletedView = Type.Object({
  name: nameSchema,
  uid: Type.String(),
  version: versionNumber,
  actor: Type.String(),
  deletedAt: timeSchema,
  change: nullable(Type.Integer()),
});
export const fieldChange = Type.Object({
  field: Type.String({ description: 'path such as "spec.address.unitId"' }),
  before: Type.Unknown(),
  after: Type.Unknown(),
});
