import { fromBase64 } from "@penstock/model";
import { readTime } from "../functions/time/part-read-time.ts";
import type { ColumnType } from "../parse/ast.ts";
import type { RowColumn, SourceLayout, StreamSchema } from "../plan/stream-schema.ts";
import type { TimeTexts } from "../value/compare.ts";
import { RowError } from "../value/row-error.ts";
import { Instant, type ObjectValue, type Value } from "../value/value.ts";
import { effort } from "./effort.ts";
import type { Row } from "./frame.ts";

/** A message as JSON.parse gives it, and what is known about it beside its content. */
export interface Message {
  readonly content: { readonly [name: string]: unknown };
  readonly meta?: ObjectValue;
  /** microseconds */
  readonly at: number;
}

/**
 * How messages of a stream become rows of a query. A number is a float unless its column is a bigint; what does not fit the
 * type of its column stays what it is.
 */
export function rowReader(layout: SourceLayout, schema: StreamSchema): (message: Message) => Row {
  const { columns } = schema;
  const typeOf = (name: string) => columns?.get(name) ?? null;
  const readers = layout.columns.map((column) => readerOf(column, { typeOf, columns, times: layout.times }));
  const { source } = layout;
  return (message) => ({ at: message.at, source, values: readers.map((read) => read(message)) });
}

function readerOf(
  column: RowColumn,
  of: {
    readonly typeOf: (name: string) => ColumnType | null;
    readonly columns: StreamSchema["columns"];
    readonly times: TimeTexts;
  },
): (message: Message) => Value {
  const { typeOf, columns, times } = of;
  switch (column.t) {
    case "column": {
      const { name } = column;
      const type = typeOf(name);
      return ({ content }) => (Object.hasOwn(content, name) ? typed(content[name], type, times) : null);
    }
    case "meta": {
      const { name } = column;
      return ({ meta = {} }) => (name === "*" ? meta : Object.hasOwn(meta, name) ? meta[name]! : null);
    }
    case "all":
      return ({ content }) => {
        const all = Object.create(null) as { [name: string]: Value };
        const names = columns === null ? Object.keys(content) : columns.keys();
        for (const name of names)
          if (Object.hasOwn(content, name)) all[name] = typed(content[name], typeOf(name), times);
        return all;
      };
  }
}

/** A value as JSON.parse gives it, with every number a float. */
export function fromJson(value: unknown): Value {
  return typed(value, null, null);
}

function typed(value: unknown, type: ColumnType | null, times: TimeTexts | null): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === "object") effort.fields(1);
  switch (type?.t) {
    case "bigint":
      return typeof value === "number" && Number.isFinite(value)
        ? BigInt(Math.trunc(value))
        : typed(value, null, times);
    case "datetime":
      return typeof value === "number" ? new Instant(value * 1000) : momentOf(value, times);
    case "bytea":
      return typeof value === "string" ? (fromBase64(value) ?? value) : typed(value, null, times);
    case "array": {
      const { of } = type;
      return Array.isArray(value) ? value.map((one) => typed(one, of, times)) : typed(value, null, times);
    }
    case "struct": {
      const fields = new Map(type.fields.map((field) => [field.name, field.type]));
      return structOf(value, (name) => fields.get(name) ?? null, times);
    }
    default:
      return typeof value === "object" ? structOf(value, () => null, times) : (value as Value);
  }
}

function structOf(value: unknown, typeOf: (name: string) => ColumnType | null, times: TimeTexts | null): Value {
  if (Array.isArray(value)) {
    effort.parts(value.length);
    return value.map((one) => typed(one, null, times));
  }
  if (typeof value !== "object" || value === null || value instanceof Instant || value instanceof Uint8Array)
    return value as Value;
  const entries = Object.entries(value);
  effort.fields(3 * entries.length);
  return Object.fromEntries(entries.map(([name, one]) => [name, typed(one, typeOf(name), times)]));
}

/** A text that tells no moment stays what it is, as does one that clocks of the zone show twice or never. */
function momentOf(value: unknown, times: TimeTexts | null): Value {
  if (typeof value !== "string" || times === null) return typed(value, null, times);
  try {
    const micros = readTime(value, times);
    return micros === null ? value : new Instant(micros);
  } catch (error) {
    if (error instanceof RowError) return value;
    throw error;
  }
}
