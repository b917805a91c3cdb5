import {
  apiVersion,
  type DeviceUid,
  formatMicros,
  type Kind,
  type Micros,
  parseExact,
  type Resource,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { ResourcesTable } from "../state-schema.ts";
import { chunksOf } from "./chunks-of.ts";
import type { ListQuery, Reader } from "./context.ts";
import { cursorOf, textOfCursor } from "./cursor.ts";
import { matchesLabels, parseLabelSelector } from "./label-selector.ts";
import { hidden, mayHaveSealed } from "./sealed-texts.ts";

export type Row = Selectable<ResourcesTable>;

/** Live rows of a kind in a tenant ("" for platform kinds). */
function liveRows(db: Reader, tenant: string, kind: Kind) {
  return db
    .selectFrom("resources")
    .selectAll()
    .where("tenant_uid", "=", tenant)
    .where("kind", "=", kind)
    .where("deleted_at", "is", null);
}

export async function findRow(db: Reader, tenant: string, kind: Kind, name: string): Promise<Row | undefined> {
  return liveRows(db, tenant, kind).where("name", "=", name).executeTakeFirst();
}

/** Those of many names that there are. */
export async function findRows(db: Reader, tenant: string, kind: Kind, names: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const some of chunksOf(names))
    rows.push(...(await liveRows(db, tenant, kind).where("name", "in", some).execute()));
  return rows;
}

/**
 * Live rows of a tenant and kind whose spec names `value` under `field`. The text search only narrows; the field itself
 * decides. Names are DNS labels, so nothing in them means anything to LIKE.
 */
export async function rowsNaming(db: Reader, tenant: string, kind: Kind, field: string, value: string): Promise<Row[]> {
  const rows = await rowsMentioning(db, tenant, kind, field, value);
  return rows.filter((row) => specOf<Record<string, unknown>>(row)[field] === value);
}

/** As `rowsNaming`, and a few more at times: for callers who parse each spec themselves, or know it already. */
export async function rowsMentioning(
  db: Reader,
  tenant: string,
  kind: Kind,
  field: string,
  value: string,
): Promise<Row[]> {
  return liveRows(db, tenant, kind).where("spec", "like", `%"${field}":"${value}"%`).orderBy("name").execute();
}

/** As everybody may see it: a mark stands for each secret. `SpecSecrets.open` has them. */
export function specOf<Spec>({ spec }: Pick<Row, "spec">): Spec {
  const parsed = parseExact(spec);
  // Written by this service after it was checked against the kind's schema.
  return (mayHaveSealed(spec) ? hidden(parsed) : parsed) as Spec;
}

/** Rows of a page by name; labels are filtered while reading, so a page may hold fewer than `limit`. */
export async function listRows(
  db: Reader,
  tenant: string,
  kind: Kind,
  query: ListQuery,
): Promise<{ rows: Row[]; cursor: string | null }> {
  const limit = query.limit ?? 100;
  const rules = query.labels === undefined ? [] : parseLabelSelector(query.labels);
  const rows: Row[] = [];
  // The last name seen stays right when rows come and go.
  let after = query.cursor === undefined ? "" : textOfCursor(query.cursor);
  for (;;) {
    const chunk = await liveRows(db, tenant, kind)
      .where("name", ">", after)
      .orderBy("name")
      .limit(limit + 1)
      .execute();
    for (const row of chunk) {
      if (!matchesLabels(rules, JSON.parse(row.labels) as Record<string, string>)) continue;
      if (rows.length === limit) return { rows, cursor: cursorOf(rows.at(-1)!.name) };
      rows.push(row);
    }
    if (chunk.length <= limit) return { rows, cursor: null };
    after = chunk.at(-1)!.name;
  }
}

export function toResource<K extends Kind, Spec, Status>(
  row: Row,
  options: { kind: K; tenantName: string; status: Status },
): Resource<K, Spec, Status> {
  return {
    apiVersion,
    kind: options.kind,
    metadata: {
      ...(options.tenantName === "" ? {} : { tenant: options.tenantName }),
      name: row.name,
      ...(row.display_name === null ? {} : { displayName: row.display_name }),
      labels: JSON.parse(row.labels) as Record<string, string>,
      uid: row.uid,
      generation: row.generation,
      resourceVersion: String(row.resource_version),
      createdAt: formatMicros(row.created_at as Micros),
      updatedAt: formatMicros(row.updated_at as Micros),
    },
    spec: specOf<Spec>(row),
    status: options.status,
  };
}

export function deviceUid(row: Row): DeviceUid {
  return row.uid as DeviceUid;
}
