import { limits, nameSchema, sheetNames } from "@penstock/model";
import Type from "typebox";
import { fieldChange } from "./history-shapes.ts";
import { lineChanges } from "./line-shapes.ts";
import { resource, route } from "./route.ts";
import { closed, nullable, tenantParams } from "./shapes.ts";

const flag = (description: string) => Type.Optional(Type.Boolean({ default: false, description }));
const text = (description: string) => Type.Optional(Type.String({ maxLength: limits.tableBytes, description }));

/** Devices and properties as tables: one row a device, one row a property, columns by dotted path. */
export const tables = resource({
  name: "tables",
  summary: "devices and properties as CSV and XLSX",
  routes: {
    exportDevices: route({
      method: "GET",
      path: "/api/v1/tenants/{tenant}/tables/devices",
      summary: "Writes devices as a table: XLSX with both sheets, or one of them as CSV",
      permission: "devices:read",
      params: tenantParams,
      query: Type.Object(
        {
          format: Type.Optional(Type.Enum(["csv", "xlsx"], { default: "xlsx" })),
          what: Type.Optional(Type.Enum([...sheetNames], { default: "properties", description: "which one as CSV" })),
          labels: Type.Optional(Type.String({ maxLength: 1024, description: "label selector: line=filling,cell!=3" })),
        },
        closed,
      ),
      response: Type.String({ format: "binary", description: "the file" }),
      format: "file",
      errors: ["resource/not-found", "input/too-large"],
    }),
    importDevices: route({
      method: "POST",
      exact: true,
      path: "/api/v1/tenants/{tenant}/tables/import",
      summary: "Changes devices as a table says, all rows or none; what is wrong is told by sheet, row and column",
      permission: "devices:write",
      params: tenantParams,
      query: Type.Object(
        {
          mode: Type.Optional(
            Type.Enum(["merge", "replace"], {
              default: "merge",
              description: "replace: properties of a named device that no row names go",
            }),
          ),
          removeAbsent: flag("devices that no row names go"),
          dryRun: flag("check everything and store nothing"),
        },
        closed,
      ),
      body: Type.Object(
        {
          format: Type.Enum(["csv", "xlsx"]),
          file: Type.Optional(Type.String({ maxLength: limits.requestBytes, description: "an XLSX file in base64" })),
          devices: text("CSV of one row a device"),
          properties: text("CSV of one row a property"),
        },
        closed,
      ),
      response: Type.Object({
        change: nullable(
          Type.Integer({ description: "what undo takes; null for a dry run, and when nothing changed" }),
        ),
        created: Type.Integer(),
        updated: Type.Integer(),
        deleted: Type.Integer(),
        unchanged: Type.Integer(),
        lines: lineChanges,
        devices: Type.Array(
          Type.Object({
            device: nameSchema,
            action: Type.Enum(["create", "update", "delete"]),
            fields: Type.Array(fieldChange),
            changed: Type.Integer({ description: "how many fields there are; fields may hold fewer" }),
          }),
        ),
      }),
      errors: ["resource/not-found", "request/precondition-failed", "request/unsupported-media", "input/too-large"],
      examples: [
        {
          summary: "Another offset",
          body: { format: "csv", properties: "device,property,visitor.offset\r\ntemp-01,temperature,4\r\n" },
        },
      ],
    }),
  },
});
