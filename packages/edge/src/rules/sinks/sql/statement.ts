import { formatMicros, type Micros } from "@penstock/model";
import { Instant, type Value } from "@penstock/rules";
import { jsonOf } from "../row-json.ts";

export type Dialect = "postgres" | "mysql";
export type SqlParameter = string | number | boolean | Buffer | null;
/** One statement; no value stands in its text. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
}

/** @source PostgreSQL 15, 4.1.1; MySQL 8.4, 11.2: the quote is doubled inside */
export function quoted(dialect: Dialect, name: string): string {
  return dialect === "postgres" ? `"${name.replaceAll('"', '""')}"` : `\`${name.replaceAll("`", "``")}\``;
}

/** @param table  may name its schema: "plant.reading" */
export function quotedTable(dialect: Dialect, table: string): string {
  return table
    .split(".")
    .map((part) => quoted(dialect, part))
    .join(".");
}

/** The place of a parameter; they count from 1. */
export function parameterMark(dialect: Dialect, number: number): string {
  return dialect === "postgres" ? `$${number}` : "?";
}

/** Integers go as digits, so that none is rounded; moments as texts in UTC with microseconds. */
export function parameterOf(dialect: Dialect, value: Value): SqlParameter {
  switch (typeof value) {
    case "bigint":
      return String(value);
    case "number":
      return Number.isFinite(value) ? value : null;
    case "string":
    case "boolean":
      return value;
    default:
  }
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (!(value instanceof Instant)) return jsonOf(value);
  const text = formatMicros(value.micros as Micros);
  return dialect === "postgres" ? text : text.replace("T", " ").replace("Z", "");
}
