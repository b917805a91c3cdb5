import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { DeviceSpec } from "../resources/device.ts";
import { shown } from "../shown.ts";
import { type CellKind, cellToValue } from "./cell-value.ts";
import { columnNames, deviceShape, type Path, propertyShape, resolveColumn } from "./columns.ts";
import type { TableDevice } from "./devices-to-sheets.ts";
import { type Cell, cellPlace, fileRow, type Sheet, type SheetName } from "./sheet.ts";
import { type Place, withCell } from "./with-cell.ts";

export interface SheetsToDevices {
  readonly devices?: Sheet | undefined;
  readonly properties?: Sheet | undefined;
  /** the devices that there are; at least those that the sheets name */
  readonly current: ReadonlyMap<string, TableDevice>;
  /** merge: rows change or add. replace: besides, properties of a named device that no row names go */
  readonly mode: "merge" | "replace";
  /** devices of `current` that no row names go too */
  readonly removeAbsent?: boolean;
}
export interface TableChange {
  readonly name: string;
  readonly before: TableDevice | null;
  /** null: the device goes */
  readonly after: TableDevice | null;
  /** where people find a field of the device in their file: "properties row 17, column visitor.offset" */
  readonly placeOf: (field: string) => string;
}
export interface TableChanges {
  /** devices that are named, each once; also those that stay as they are */
  readonly changes: readonly TableChange[];
  /** by sheet, row and column; when there is one, nothing may be changed */
  readonly errors: readonly FieldError[];
}

/**
 * What tables make of devices. A column that a file has counts for every row of it: an empty cell means that the field is
 * not there. A column that the file has not leaves the field as it is. Pure.
 */
export function sheetsToDevices(options: SheetsToDevices): TableChanges {
  const { current, mode } = options;
  const errors: FieldError[] = [];
  const refuse = (at: { sheet: SheetName; row: number; column: string }, value: unknown, rule: string) => {
    if (errors.length < limits.tableErrors) errors.push({ field: cellPlace(at), value: shown(value), rule });
  };
  const devices = readSheet({ sheet: options.devices, shape: deviceShape, keys: ["name"], refuse });
  const properties = readSheet({
    sheet: options.properties,
    shape: propertyShape,
    keys: ["device", "property"],
    refuse,
  });

  const drafts = new Map<string, Draft>();
  const draftOf = (name: string): Draft | null => {
    const found = drafts.get(name);
    const before = current.get(name);
    if (found !== undefined || before === undefined) return found ?? null;
    const draft = newDraft(name, { before, document: before, row: null });
    drafts.set(name, draft);
    return draft;
  };
  for (const { key, row, cells } of devices.rows) {
    const name = key[0]!;
    const before = current.get(name) ?? null;
    drafts.set(
      name,
      newDraft(name, { before, document: withCells(before ?? { name, labels: {}, spec: {} }, cells), row }),
    );
  }
  for (const { key, row, cells } of properties.rows) {
    const [name = "", property = ""] = key;
    const draft = draftOf(name);
    if (draft === null) {
      refuse(
        { sheet: "properties", row, column: "device" },
        name,
        "there is no such device, nor a row of it in devices",
      );
      continue;
    }
    draft.rows.set(property, row);
    draft.properties.set(property, withCells(draft.properties.get(property) ?? {}, cells) ?? {});
  }
  const isReplaced = mode === "replace" && options.properties !== undefined;
  const changes = [...drafts.values()].map(
    (draft): TableChange => ({
      name: draft.name,
      before: draft.before,
      after: finished(draft, isReplaced),
      placeOf: (field) => placeOf(draft, field, { devices, properties }),
    }),
  );
  if (options.removeAbsent === true) {
    for (const [name, before] of current) {
      if (!drafts.has(name))
        changes.push({ name, before, after: null, placeOf: (field) => `device "${name}" ${field}` });
    }
  }
  return { changes, errors };
}

interface Draft {
  readonly name: string;
  readonly before: TableDevice | null;
  readonly document: unknown;
  readonly properties: Map<string, unknown>;
  /** its row in devices, as the file counts */
  readonly row: number | null;
  /** rows of its properties by name */
  readonly rows: Map<string, number>;
}

function newDraft(name: string, options: Pick<Draft, "before" | "document" | "row">): Draft {
  const { properties = {} } = options.before?.spec ?? {};
  return { name, ...options, properties: new Map(Object.entries(properties)), rows: new Map() };
}

/** @param isReplaced properties that no row names go */
function finished(draft: Draft, isReplaced: boolean): TableDevice {
  const { name, labels = {}, displayName, spec = {} } = draft.document as Partial<TableDevice>;
  const { properties: before, ...others } = spec as Partial<DeviceSpec>;
  const kept = [...draft.properties].filter(([property]) => !isReplaced || draft.rows.has(property));
  const properties =
    kept.length > 0 || (before !== undefined && draft.properties.size === 0) ? Object.fromEntries(kept) : undefined;
  return {
    name: name ?? draft.name,
    ...(displayName !== undefined && { displayName }),
    labels,
    // Whether it is a whole one is for the checks at the door.
    spec: { ...others, ...(properties !== undefined && { properties }) } as DeviceSpec,
  };
}

interface SheetRow {
  readonly key: readonly string[];
  readonly row: number;
  readonly cells: readonly Place[];
}
interface ReadSheet {
  readonly columns: readonly string[];
  readonly rows: readonly SheetRow[];
}
type Refuse = (at: { sheet: SheetName; row: number; column: string }, value: unknown, rule: string) => void;

/** The rows of a sheet with their cells understood; what cannot be is refused by row and column. */
function readSheet(options: {
  readonly sheet: Sheet | undefined;
  readonly shape: typeof deviceShape | typeof propertyShape;
  readonly keys: readonly string[];
  readonly refuse: Refuse;
}): ReadSheet {
  const { sheet, shape, keys, refuse } = options;
  if (sheet === undefined) return { columns: [], rows: [] };
  const { name, columns } = sheet;
  const resolved = columns.map((column, i) => {
    const found = resolveColumn(shape, column);
    const at = { sheet: name, row: 1, column };
    if (found === null) refuse(at, column, `unknown column, known are ${columnNames(shape).join(", ")}`);
    else if (columns.indexOf(column) !== i) refuse(at, column, "stands there twice");
    return found;
  });
  const keyAt = keys.map((key) => columns.indexOf(key));
  for (const [i, key] of keys.entries()) {
    if (keyAt[i]! < 0) refuse({ sheet: name, row: 1, column: key }, undefined, "this column must be there");
  }
  if (keyAt.includes(-1)) return { columns, rows: [] };

  const seen = new Map<string, number>();
  const rows: SheetRow[] = [];
  for (const [index, cells] of sheet.rows.entries()) {
    // An empty row between others is nobody's mistake.
    if (cells.every((cell) => cell === null)) continue;
    const row = fileRow(index);
    const key = keyAt.map((at, i) => {
      const cell = cells[at] ?? null;
      if (cell === null) refuse({ sheet: name, row, column: keys[i]! }, undefined, "is required");
      return cell === null ? null : String(cell);
    });
    if (key.includes(null)) continue;
    const id = key.join("\n");
    const first = seen.get(id);
    if (first !== undefined)
      refuse({ sheet: name, row, column: keys.at(-1)! }, key.at(-1), `stands in row ${first} already`);
    seen.set(id, first ?? row);
    rows.push({ key: key as string[], row, cells: readCells({ name, columns, resolved, keys, row, cells, refuse }) });
  }
  return { columns, rows };
}

function readCells(options: {
  readonly name: SheetName;
  readonly columns: readonly string[];
  readonly resolved: readonly ({ readonly path: Path; readonly kind: CellKind } | null)[];
  readonly keys: readonly string[];
  readonly row: number;
  readonly cells: readonly Cell[];
  readonly refuse: Refuse;
}): Place[] {
  const { name, columns, resolved, keys, row, cells, refuse } = options;
  const places: Place[] = [];
  for (const [i, column] of columns.entries()) {
    const found = resolved[i];
    if (found === null || found === undefined) continue;
    if (name === "properties" && keys.includes(column)) continue;
    const cell = cells[i] ?? null;
    try {
      const path = name === "devices" ? documentPath(found.path) : found.path;
      places.push({ path, value: cell === null ? undefined : cellToValue(found.kind, cell) });
    } catch (error) {
      refuse({ sheet: name, row, column }, cell, (error as Error).message);
    }
  }
  // What an object's own column says comes first, so that columns below it add to it.
  return places.sort((a, b) => a.path.length - b.path.length);
}

/** Name, displayName and labels stand beside spec. */
function documentPath(path: Path): Path {
  return ["name", "displayName", "labels"].includes(path[0]!) ? path : ["spec", ...path];
}

function withCells(document: unknown, places: readonly Place[]): unknown {
  let next = document;
  for (const { path, value } of places) next = withCell(next, path, value);
  return next;
}

function placeOf(
  draft: Draft,
  field: string,
  sheets: { readonly devices: ReadSheet; readonly properties: ReadSheet },
): string {
  const property = /^spec\.properties\.([A-Za-z_][A-Za-z0-9_-]*)\.?(.*)$/.exec(field);
  const row = property === null ? draft.row : (draft.rows.get(property[1]!) ?? null);
  if (row === null) return `device "${draft.name}" ${field}`;
  const sheet = property === null ? "devices" : "properties";
  const path = property === null ? field.replace(/^(spec|metadata)\./, "") : property[2]!;
  return cellPlace({ sheet, row, column: columnOf(sheets[sheet].columns, path) });
}

/** The column that a field stands in: its own, else the longest one above it. */
function columnOf(columns: readonly string[], path: string): string {
  const above = columns.filter((column) => path === column || path.startsWith(`${column}.`));
  return above.sort((a, b) => b.length - a.length)[0] ?? path;
}
