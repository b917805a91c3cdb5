import {
  AppError,
  type DeviceSpec,
  devicesToSheets,
  diffDocuments,
  type FieldChange,
  type FieldError,
  invalid,
  limits,
  type Sheet,
  type SheetName,
  sheetsToDevices,
  shown,
  type TableChange,
  type TableDevice,
} from "@penstock/model";
import type { Bulk } from "./bulk.ts";
import type { Caller, CheckingContext, Reader } from "./context.ts";
import type { LineChange } from "./line-loads.ts";
import { findRows, listRows, type Row, specOf } from "./resource-rows.ts";
import { createTableFiles } from "./tables/table-files.ts";
import type { TableInput } from "./tables/table-worker.ts";
import { tenantOf } from "./tenant-check.ts";

export interface TableExport {
  readonly format: "csv" | "xlsx";
  /** which of the two a CSV file holds; XLSX has both */
  readonly what?: SheetName | undefined;
  readonly labels?: string | undefined;
}
export interface TableImport {
  readonly mode: "merge" | "replace";
  readonly removeAbsent: boolean;
  readonly dryRun: boolean;
  readonly input: {
    readonly format: "csv" | "xlsx";
    readonly file?: string | undefined;
    readonly devices?: string | undefined;
    readonly properties?: string | undefined;
  };
}
export interface TableImported {
  /** what undo takes; null for a dry run, and when nothing changed */
  change: number | null;
  created: number;
  updated: number;
  deleted: number;
  unchanged: number;
  /** of a dry run: what the changes would make of their lines */
  lines: LineChange[];
  devices: { device: string; action: "create" | "update" | "delete"; fields: FieldChange[]; changed: number }[];
}
/** Field changes told in one answer; the counts are complete. */
const mostTold = 2000;

export const tableMediaTypes = {
  csv: "text/csv; charset=utf-8",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
} as const;

/** Devices and properties as tables, out and in. */
export function createTables(context: CheckingContext, bulk: Bulk) {
  const { db, clock, mappers } = context;
  const files = createTableFiles(clock);

  return {
    /** @throws AppError input/too-large when there are more rows than a table may have */
    async exportDevices(caller: Caller, tenantName: string, request: TableExport) {
      const { format, labels } = request;
      const tenant = await tenantOf(db, caller, tenantName);
      const rows = await allRows(db, tenant, labels);
      const devices = rows.map(tableDevice);
      const used = new Set(
        devices.map(({ spec }) => spec.connection).flatMap((one) => (typeof one === "string" ? [] : [one.protocol])),
      );
      const shared = await db
        .selectFrom("resources")
        .select("spec")
        .where("tenant_uid", "=", tenant)
        .where("kind", "=", "Connection")
        .where("deleted_at", "is", null)
        .execute();
      for (const { spec } of shared) used.add((JSON.parse(spec) as { protocol: string }).protocol);
      const sheets = devicesToSheets(
        devices,
        mappers.ofTenant(tenant).filter((one) => used.has(one.name)),
      );
      if (sheets.properties.rows.length > limits.tableRows) {
        const count = sheets.properties.rows.length;
        throw new AppError(
          "input/too-large",
          `Cannot export ${count} properties: a table has at most ${limits.tableRows} rows; choose devices by labels`,
        );
      }
      const what = request.what ?? "properties";
      const chosen: Sheet[] = format === "xlsx" ? [sheets.devices, sheets.properties] : [sheets[what]];
      const name = format === "xlsx" ? `${tenantName}-devices.xlsx` : `${tenantName}-${what}.csv`;
      return { bytes: await files.write(format, chosen), mediaType: tableMediaTypes[format], name };
    },

    /**
     * All rows or none.
     *
     * @throws AppError input/invalid by sheet, row and column of everything that cannot be
     */
    async importDevices(caller: Caller, tenantName: string, request: TableImport): Promise<TableImported> {
      const { mode, removeAbsent, dryRun } = request;
      const tenant = await tenantOf(db, caller, tenantName);
      const sheets = await files.read(inputOf(request.input));
      const sheet = (name: SheetName) => sheets.find((one) => one.name === name);
      const [devices, properties] = [sheet("devices"), sheet("properties")];
      if (removeAbsent && devices === undefined) {
        throw invalid([
          {
            field: "removeAbsent",
            value: "true",
            rule: "needs the sheet devices: without it nobody knows which there are",
          },
        ]);
      }
      const rows = removeAbsent ? await allRows(db, tenant) : await findRows(db, tenant, "Device", namesIn(sheets));
      const versions = new Map(rows.map((row) => [row.name, String(row.resource_version)]));
      const current = new Map(rows.map((row) => [row.name, tableDevice(row)]));
      const { changes, errors } = sheetsToDevices({ devices, properties, current, mode, removeAbsent });
      if (errors.length > 0) throw invalid(errors);
      const differing = changes
        .map((change) => ({ ...change, fields: diffDocuments(documentOf(change.before), documentOf(change.after)) }))
        .filter(({ fields }) => fields.length > 0);
      if (differing.length > limits.changesPerRequest) {
        const field = {
          field: "devices",
          value: `${differing.length} devices change`,
          rule: `must be at most ${limits.changesPerRequest} at once`,
        };
        throw invalid([field]);
      }
      const { id, lines } = await bulk
        .applyMany(caller, tenantName, {
          changes: differing.map(({ name, before, after }) => ({
            kind: "Device",
            name,
            ...(after !== null && { document: documentOf(after) }),
            // Read and written are two steps: what somebody else changed between them is not overwritten.
            ...(before === null ? { create: true } : { ifMatch: versions.get(name) }),
          })),
          dryRun,
          reason: "import",
          note: `${differing.length} devices by ${request.input.format.toUpperCase()}`,
        })
        .catch((error: unknown) => {
          throw byPlace(error, differing);
        });
      return { change: id === null ? null : Number(id), lines, ...told(changes.length, differing) };
    },
    close: () => files.close(),
  };
}
export type Tables = ReturnType<typeof createTables>;

function inputOf({ format, file, devices, properties }: TableImport["input"]): TableInput {
  if (format === "csv") {
    if (devices === undefined && properties === undefined) {
      throw invalid([{ field: "devices", value: shown(undefined), rule: "devices or properties must be there" }]);
    }
    return { format, devices, properties };
  }
  if (file === undefined)
    throw invalid([{ field: "file", value: shown(undefined), rule: "is required with format xlsx" }]);
  const bytes = Buffer.from(file, "base64");
  if (bytes.length > limits.tableBytes) {
    throw new AppError("input/too-large", `Cannot read the file: ${bytes.length} bytes, limit ${limits.tableBytes}`);
  }
  return { format, file: bytes };
}

function namesIn(sheets: readonly Sheet[]): string[] {
  const names = sheets.flatMap(({ name, columns, rows }) => {
    const at = columns.indexOf(name === "devices" ? "name" : "device");
    return at < 0 ? [] : rows.map((row) => String(row[at] ?? ""));
  });
  return [...new Set(names)];
}

async function allRows(db: Reader, tenant: string, labels?: string): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const page: { rows: Row[]; cursor: string | null } = await listRows(db, tenant, "Device", {
      limit: limits.listPage,
      ...(labels !== undefined && { labels }),
      ...(cursor !== null && { cursor }),
    });
    rows.push(...page.rows);
    cursor = page.cursor;
  } while (cursor !== null);
  return rows;
}

function tableDevice(row: Row): TableDevice {
  return {
    name: row.name,
    ...(row.display_name !== null && { displayName: row.display_name }),
    labels: JSON.parse(row.labels) as Record<string, string>,
    spec: specOf<DeviceSpec>(row),
  };
}

function documentOf(device: TableDevice | null): unknown {
  if (device === null) return undefined;
  const { spec, ...metadata } = device;
  return { metadata, spec };
}

/** "changes[3].spec.node" is a cell of the file. */
function byPlace(error: unknown, changes: readonly TableChange[]): unknown {
  if (!(error instanceof AppError) || error.fields.length === 0) return error;
  const fields = error.fields.map((one): FieldError => {
    const [, index, rest = ""] = /^changes\[(\d+)\]\.?(.*)$/.exec(one.field) ?? [];
    const change = index === undefined ? undefined : changes[Number(index)];
    return change === undefined ? one : { ...one, field: change.placeOf(rest) };
  });
  const text = fields.map((one) => `Invalid ${one.field}: ${one.value}: ${one.rule}`).join("; ");
  return new AppError(error.code, text, { fields: fields.slice(0, limits.tableErrors) });
}

function told(
  named: number,
  differing: readonly (TableChange & { readonly fields: readonly FieldChange[] })[],
): Omit<TableImported, "change" | "lines"> {
  let left = mostTold;
  const devices = differing.map(({ name, before, after, fields }) => {
    const action = before === null ? "create" : after === null ? "delete" : "update";
    const some = fields.slice(0, left);
    left -= some.length;
    return { device: name, action, fields: some, changed: fields.length } as const;
  });
  const count = (action: string) => devices.filter((one) => one.action === action).length;
  return {
    created: count("create"),
    updated: count("update"),
    deleted: count("delete"),
    unchanged: named - differing.length,
    devices,
  };
}
