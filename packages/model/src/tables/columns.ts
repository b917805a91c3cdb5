import { type CellKind, valueToCell } from "./cell-value.ts";
import type { Cell, SheetName } from "./sheet.ts";

/** How a document lies in columns: a cell, named fields below a dot, or any fields one level down. */
export type Shape = CellKind | { readonly fields: { readonly [name: string]: Shape } } | { readonly any: CellKind };

export const deviceShape = {
  fields: {
    name: "text",
    displayName: "text",
    description: "text",
    node: "text",
    // A name, or JSON of one inline: a name never begins with a brace.
    connection: "any",
    model: "text",
    labels: { any: "text" },
    address: { any: "any" },
    presence: { fields: { offlineAfter: "text" } },
    methods: "object",
    custom: "object",
  },
} as const satisfies Shape;

const cadence = { every: "text", at: "times" } as const;
export const propertyShape = {
  fields: {
    device: "text",
    property: "text",
    displayName: "text",
    description: "text",
    type: "text",
    unit: "text",
    access: "text",
    minimum: "bound",
    maximum: "bound",
    visitor: { any: "any" },
    collect: { fields: { ...cadence, subscribe: "flag" } },
    report: {
      fields: {
        toCloud: "flag",
        ...cadence,
        onChange: { fields: { deadband: { fields: { absolute: "number", percent: "number" } } } },
        atLeast: "text",
      },
    },
    publish: { fields: { topic: "text", qos: "number" } },
    localWrites: "text",
    calculated: "flag",
    mayOverlap: "flag",
    custom: "object",
  },
} as const satisfies Shape;

/** A path of keys: ["visitor", "offset"] stands in column "visitor.offset". */
export type Path = readonly string[];

/** The cells of a document by column; an object without fields is "{}" in a column of its own. */
export function documentCells(shape: Shape, document: unknown): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  walk(shape, document, "", cells);
  return cells;
}

function walk(shape: Shape, value: unknown, at: string, cells: Map<string, Cell>): void {
  if (value === undefined) return;
  if (typeof shape === "string") {
    cells.set(at, valueToCell(shape, value));
    return;
  }
  const object = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(object).filter((key) => object[key] !== undefined);
  if (keys.length === 0 && at !== "") cells.set(at, "{}");
  for (const key of keys) {
    const inner = "any" in shape ? shape.any : shape.fields[key];
    if (inner !== undefined) walk(inner, object[key], at === "" ? key : `${at}.${key}`, cells);
  }
}

/** What a column of the file means; null when no field is called so. An object's own column holds JSON of it, whole. */
export function resolveColumn(shape: Shape, column: string): { readonly path: Path; readonly kind: CellKind } | null {
  let here: Shape = shape;
  let rest = column;
  const path: string[] = [];
  while (typeof here !== "string") {
    if (rest === "") return { path, kind: "object" };
    if ("any" in here) return { path: [...path, rest], kind: here.any };
    const dot = rest.indexOf(".");
    const name = dot < 0 ? rest : rest.slice(0, dot);
    const inner: Shape | undefined = Object.hasOwn(here.fields, name) ? here.fields[name] : undefined;
    if (inner === undefined) return null;
    path.push(name);
    here = inner;
    rest = dot < 0 ? "" : rest.slice(dot + 1);
    if (dot >= 0 && rest === "") return null;
  }
  return rest === "" ? { path, kind: here } : null;
}

/**
 * Columns in the order of the shape. Fields of any name come in the order of `known`, then by name.
 *
 * @param used   columns that some row needs
 * @param known  columns that stand there in any case, such as those of the mappers' schemas
 */
export function orderColumns(shape: Shape, used: ReadonlySet<string>, known: readonly string[]): string[] {
  const wanted = new Set([...known, ...[...used].sort()]);
  const tops = typeof shape === "string" || "any" in shape ? [] : leaves(shape, "");
  const rank = (column: string) => {
    const exact = tops.indexOf(column);
    if (exact >= 0) return exact;
    return tops.findIndex((top) => top.endsWith(".*") && column.startsWith(top.slice(0, -1)));
  };
  return [...wanted]
    .map((column, i) => ({ column, i, rank: rank(column) }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map(({ column }) => column);
}

/** "name", "labels", "labels.*", "presence", "presence.offlineAfter" … */
function leaves(shape: Shape, at: string): string[] {
  if (typeof shape === "string") return [at];
  const own = at === "" ? [] : [at];
  if ("any" in shape) return [...own, `${at}.*`];
  return [
    ...own,
    ...Object.entries(shape.fields).flatMap(([key, inner]) => leaves(inner, at === "" ? key : `${at}.${key}`)),
  ];
}

/** The columns that a sheet of this shape may have, for people. */
export function columnNames(shape: Shape): string[] {
  return leaves(shape, "");
}

/** What a column of a sheet holds; null when there is none of that name. */
export function columnKind(sheet: SheetName, column: string): CellKind | null {
  return resolveColumn(sheet === "devices" ? deviceShape : propertyShape, column)?.kind ?? null;
}
