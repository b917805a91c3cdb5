import { flagNull, type Layout, type ReadingBatch, type ValueType, valueTypes } from "@penstock/model";
import type { ColumnType } from "../parse/ast.ts";
import type { SourceLayout } from "../plan/stream-schema.ts";
import type { ObjectValue, Value } from "../value/value.ts";
import { effort } from "./effort.ts";
import type { Row } from "./frame.ts";
import { fromJson } from "./read-row.ts";

/** The type that a property of a device has in SQL. */
export function columnTypeOf(type: ValueType): ColumnType {
  switch (type) {
    case "bool":
      return { t: "boolean" };
    case "string":
      return { t: "string" };
    case "bytes":
      return { t: "bytea" };
    case "float32":
    case "float64":
      return { t: "float" };
    case "json":
      return { t: "struct", fields: [] };
    default:
      return { t: "bigint" };
  }
}

/** Where the value of a property stands in a batch that has all of them. */
interface Slot {
  readonly name: string;
  readonly type: ValueType;
  /** of its column */
  readonly rank: number;
  /** within its column */
  readonly at: number;
}

/** Reads what a column of a query is of a batch; `rows` is where each property stands in it. */
type Read = (batch: ReadingBatch, places: Places) => Value;

/** For each property of the layout: its row in the batch, below 0 where it has none, and its place in its column. */
interface Places {
  readonly row: Int32Array | null;
  readonly at: Int32Array | null;
  readonly slots: readonly Slot[];
}

/**
 * How batches of a device become rows of a query: one row a batch, with null for what it does not have. The time of a row is
 * that of the batch. What is read is decided once for each layout.
 *
 * @param meta what is known of the device, beside its readings
 */
export function batchReader(source: SourceLayout, meta: ObjectValue): (batch: ReadingBatch) => Row {
  const plans = new WeakMap<Layout, { readonly slots: readonly Slot[]; readonly reads: readonly Read[] }>();
  const planFor = (layout: Layout) => {
    const slots = slotsOf(layout);
    const reads = source.columns.map((column): Read => {
      if (column.t === "all") return (batch, places) => whole(batch, places);
      if (column.t === "meta") {
        const value = column.name === "*" ? meta : Object.hasOwn(meta, column.name) ? meta[column.name]! : null;
        return () => value;
      }
      const slot = slots.findIndex(({ name }) => name === column.name);
      return slot < 0 ? () => null : (batch, places) => valueAt(batch, places, slot);
    });
    const plan = { slots, reads };
    plans.set(layout, plan);
    return plan;
  };
  return (batch) => {
    const { slots, reads } = plans.get(batch.layout) ?? planFor(batch.layout);
    const places = batch.index === null ? { row: null, at: null, slots } : placesIn(batch, slots);
    const values = new Array<Value>(reads.length);
    for (let at = 0; at < reads.length; at++) values[at] = reads[at]!(batch, places);
    return { at: batch.baseTime, source: source.source, values };
  };
}

function slotsOf({ properties }: Layout): readonly Slot[] {
  const filled = new Map<number, number>();
  return properties.map(({ name, type }) => {
    const rank = valueTypes.indexOf(type);
    const at = filled.get(rank) ?? 0;
    filled.set(rank, at + 1);
    return { name, type, rank, at };
  });
}

function placesIn({ index, count }: ReadingBatch, slots: readonly Slot[]): Places {
  const row = new Int32Array(slots.length).fill(-1);
  const at = new Int32Array(slots.length);
  const filled = new Int32Array(valueTypes.length);
  for (let r = 0; r < count; r++) {
    const slot = index![r]!;
    row[slot] = r;
    at[slot] = filled[slots[slot]!.rank]!++;
  }
  return { row, at, slots };
}

function valueAt(batch: ReadingBatch, { row, at, slots }: Places, place: number): Value {
  const slot = slots[place]!;
  const r = row === null ? place : row[place]!;
  if (r < 0 || (batch.flags !== null && (batch.flags[r]! & flagNull) !== 0)) return null;
  return fromRaw(slot.type, batch.columns[slot.rank]![at === null ? slot.at : at[place]!]!);
}

function fromRaw(type: ValueType, raw: number | bigint | string | Uint8Array): Value {
  switch (type) {
    case "float64":
    case "float32":
    case "string":
    case "bytes":
    case "int64":
    case "uint64":
      return raw;
    case "bool":
      return raw === 1;
    case "json":
      effort.spend((raw as string).length);
      return fromJson(JSON.parse(raw as string));
    default:
      return BigInt(raw as number);
  }
}

function whole(batch: ReadingBatch, places: Places): Value {
  const all = Object.create(null) as { [name: string]: Value };
  for (const [place, { name }] of places.slots.entries()) {
    if (places.row === null || places.row[place]! >= 0) all[name] = valueAt(batch, places, place);
  }
  return all;
}
