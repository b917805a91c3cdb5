import type { MapperManifest } from "../mapper-manifest.ts";
import type { DeviceSpec } from "../resources/device.ts";
import { deviceShape, documentCells, orderColumns, propertyShape, type Shape } from "./columns.ts";
import type { Cell, Sheet, SheetName } from "./sheet.ts";

/** A device as people describe it, without what the server fills in. */
export interface TableDevice {
  readonly name: string;
  readonly displayName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: DeviceSpec;
}
export interface TableSheets {
  readonly devices: Sheet;
  readonly properties: Sheet;
}

/** Columns that stand there even when no device uses them, in this order. */
const deviceColumns = ["name", "displayName", "node", "connection", "model"];
const propertyColumns = ["device", "property", "type", "unit", "access", "minimum", "maximum"];
const lastColumns = ["collect.every", "report.every", "publish.topic"];

/**
 * One row a device and one row a property, in the order given. Columns are the fields that are used, and those of the
 * schemas of `manifests`, by dotted path; see `sheetsToDevices` for the way back.
 */
export function devicesToSheets(
  devices: readonly TableDevice[],
  manifests: readonly MapperManifest[] = [],
): TableSheets {
  const deviceRows = devices.map(({ name, displayName, labels, spec: { properties: _, ...spec } }) => {
    const metadata = { name, displayName, ...(Object.keys(labels).length > 0 && { labels }) };
    return documentCells(deviceShape, { ...metadata, ...spec });
  });
  const propertyRows = devices.flatMap(({ name, spec }) =>
    Object.entries(spec.properties ?? {}).map(([property, fields]) =>
      documentCells(propertyShape, { device: name, property, ...fields }),
    ),
  );
  const fieldsOf = (part: "address" | "visitor") =>
    manifests.flatMap((manifest) =>
      Object.keys((manifest[part].properties as object | undefined) ?? {}).map((field) => `${part}.${field}`),
    );
  return {
    devices: sheetOf("devices", {
      shape: deviceShape,
      rows: deviceRows,
      known: [...deviceColumns, ...fieldsOf("address")],
    }),
    properties: sheetOf("properties", {
      shape: propertyShape,
      rows: propertyRows,
      known: [...propertyColumns, ...fieldsOf("visitor"), ...lastColumns],
    }),
  };
}

function sheetOf(
  name: SheetName,
  options: { readonly shape: Shape; readonly rows: readonly Map<string, Cell>[]; readonly known: readonly string[] },
): Sheet {
  const used = new Set<string>();
  for (const row of options.rows) for (const column of row.keys()) used.add(column);
  const columns = orderColumns(options.shape, used, options.known);
  return { name, columns, rows: options.rows.map((row) => columns.map((column) => row.get(column) ?? null)) };
}
