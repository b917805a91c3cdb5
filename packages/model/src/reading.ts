import type { ErrorCode } from "./errors.ts";
import type { BootId, DeviceUid, Epoch, Micros, NodeUid } from "./ids.ts";
import { flagGood, flagNull, type Quality, qualityOf } from "./quality.ts";
import { type Value, type ValueType, valueTypes } from "./value.ts";

/** Where a reading comes from and which one it is: the only identity there is, never (series, time). */
export interface ReadingId {
  readonly source: NodeUid;
  readonly epoch: Epoch;
  readonly seq: number;
}

/** One reading as people and programs see it. */
export interface Reading {
  readonly device: DeviceUid;
  readonly property: string;
  readonly type: ValueType;
  readonly time: Micros;
  readonly value: Value;
  readonly quality: Quality;
  /** Why the quality is not good: a code of the error table. */
  readonly reason: ErrorCode | null;
}

export interface LayoutProperty {
  readonly name: string;
  readonly type: ValueType;
}

/**
 * The shape of a device's batches: which properties, in which order. Numbered by the outbox's epoch, never changed once
 * numbered; a device that is edited gets a new layout. Properties are sorted by type (the order of `valueTypes`), then
 * name, so that each type is one column.
 */
export interface Layout {
  /** 1.. within the epoch; 0 before the outbox has numbered it */
  readonly id: number;
  readonly device: DeviceUid;
  readonly properties: readonly LayoutProperty[];
}

export type Column =
  | Uint8Array // bool (0 or 1), uint8
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array
  | readonly string[] // string; json as its text
  | readonly Uint8Array[]; // bytes

/**
 * The readings of one device and one cycle, in columns. Row r is property `index?.[r] ?? r` of the layout; rows stand in
 * layout order (index strictly ascending). `columns[k]` holds the rows of type `valueTypes[k]` in row order, null rows as
 * 0, "" or empty. Immutable once published on the bus.
 */
export interface ReadingBatch {
  readonly layout: Layout;
  readonly count: number;
  /** positions into layout.properties; null = every property, in order */
  readonly index: Uint16Array | null;
  /** time of row r = baseTime + (offsets?.[r] ?? 0), in microseconds */
  readonly baseTime: Micros;
  readonly offsets: Int32Array | null;
  /** flag byte per row (see quality.ts); null = all good */
  readonly flags: Uint8Array | null;
  /** per row: 0 = none, k = reasons[k-1]; null = none at all */
  readonly reasonIndex: Uint8Array | null;
  readonly reasons: readonly ErrorCode[];
  readonly columns: readonly (Column | undefined)[];
  /** set while the wall clock is not trusted: times count from this boot's monotonic clock and are corrected once */
  readonly clock: UncertainClock | null;
}

/** wall time = monotonic time of the reading + the offset of its boot, once that is known */
export interface UncertainClock {
  readonly boot: BootId;
  /** monotonic microseconds that correspond to baseTime */
  readonly monotonic: number;
}

/** A batch that has its place: rows are seq firstSeq .. firstSeq+count-1 of (source, epoch). */
export interface SequencedBatch {
  readonly epoch: Epoch;
  readonly firstSeq: number;
  readonly batch: ReadingBatch;
}

const typeRank = new Map(valueTypes.map((type, rank) => [type, rank]));

/** Sorts properties into the order a layout demands. */
export function layoutOrder(properties: readonly LayoutProperty[]): LayoutProperty[] {
  return [...properties].sort(
    (a, b) => typeRank.get(a.type)! - typeRank.get(b.type)! || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

export function sameLayout(a: Layout, b: Layout): boolean {
  return (
    a.device === b.device &&
    a.properties.length === b.properties.length &&
    a.properties.every((p, i) => p.name === b.properties[i]!.name && p.type === b.properties[i]!.type)
  );
}

/** What a mapper or a rule produces before it becomes columns. */
export interface Sample {
  readonly property: string;
  readonly time: Micros;
  readonly value: Value;
  readonly quality: Quality;
  readonly reason: ErrorCode | null;
}

/** A column of zeros, empty texts or empty bytes. */
export function emptyColumn(type: ValueType, length: number): Column {
  switch (type) {
    case "bool":
    case "uint8":
      return new Uint8Array(length);
    case "int8":
      return new Int8Array(length);
    case "int16":
      return new Int16Array(length);
    case "uint16":
      return new Uint16Array(length);
    case "int32":
      return new Int32Array(length);
    case "uint32":
      return new Uint32Array(length);
    case "int64":
      return new BigInt64Array(length);
    case "uint64":
      return new BigUint64Array(length);
    case "float32":
      return new Float32Array(length);
    case "float64":
      return new Float64Array(length);
    case "string":
    case "json":
      return new Array<string>(length).fill("");
    case "bytes":
      return new Array<Uint8Array>(length).fill(new Uint8Array(0));
  }
}

function store(column: Column, at: number, type: ValueType, value: Value): void {
  // The casts follow from `emptyColumn(type, ...)`: the column of a type has exactly that element type.
  if (value === null) return;
  if (type === "json") (column as string[])[at] = JSON.stringify((value as { json: unknown }).json);
  else if (type === "bool") (column as Uint8Array)[at] = value === true ? 1 : 0;
  else (column as unknown as Value[])[at] = value;
}

function load(column: Column, at: number, type: ValueType): Value {
  const raw = column[at] as Value;
  if (type === "bool") return raw === 1;
  if (type === "json") return { json: JSON.parse(raw as string) };
  return raw;
}

const knownSlots = new WeakMap<Layout, ReadonlyMap<string, number>>();
/** Devices that tell single values make thousands of batches of one layout. */
function slotsOf(layout: Layout): ReadonlyMap<string, number> {
  let slots = knownSlots.get(layout);
  if (slots === undefined) {
    slots = new Map(layout.properties.map((property, slot) => [property.name, slot]));
    knownSlots.set(layout, slots);
  }
  return slots;
}

/**
 * Turns samples of one device into a batch. Samples may come in any order; of two samples of one property the later
 * one in the list wins its row. Properties that the layout does not have are left out and returned in `unknown`.
 */
export function batchFromSamples(options: {
  layout: Layout;
  samples: readonly Sample[];
  clock?: UncertainClock | null;
}): { batch: ReadingBatch; unknown: readonly string[] } {
  const { layout, samples } = options;
  const bySlot = new Map<number, Sample>();
  const slots = slotsOf(layout);
  const unknown: string[] = [];
  for (const sample of samples) {
    const slot = slots.get(sample.property);
    if (slot === undefined) unknown.push(sample.property);
    else bySlot.set(slot, sample);
  }
  const order = [...bySlot.keys()].sort((a, b) => a - b);
  const count = order.length;
  const rows = order.map((slot) => bySlot.get(slot)!);
  const baseTime = (rows[0]?.time ?? 0) as Micros;
  const counts = new Map<ValueType, number>();
  for (const slot of order) {
    const type = layout.properties[slot]!.type;
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  const columns: (Column | undefined)[] = valueTypes.map((type) => {
    const length = counts.get(type);
    return length === undefined ? undefined : emptyColumn(type, length);
  });
  const filled = new Map<ValueType, number>();
  const flags = new Uint8Array(count);
  const offsets = new Int32Array(count);
  const reasonIndex = new Uint8Array(count);
  const reasons: ErrorCode[] = [];
  let anyFlag = false;
  let anyOffset = false;
  rows.forEach((row, r) => {
    const type = layout.properties[order[r]!]!.type;
    const at = filled.get(type) ?? 0;
    filled.set(type, at + 1);
    store(columns[typeRank.get(type)!]!, at, type, row.value);
    const quality = row.quality === "good" ? flagGood : row.quality === "uncertain" ? 1 : 2;
    flags[r] = quality | (row.value === null ? flagNull : 0);
    offsets[r] = row.time - baseTime;
    if (row.reason !== null) {
      let at = reasons.indexOf(row.reason);
      if (at < 0) at = reasons.push(row.reason) - 1;
      reasonIndex[r] = at + 1;
    }
    anyFlag ||= flags[r] !== 0;
    anyOffset ||= offsets[r] !== 0;
  });
  return {
    unknown,
    batch: {
      layout,
      count,
      index: count === layout.properties.length ? null : Uint16Array.from(order),
      baseTime,
      offsets: anyOffset ? offsets : null,
      flags: anyFlag ? flags : null,
      reasonIndex: reasons.length > 0 ? reasonIndex : null,
      reasons,
      columns,
      clock: options.clock ?? null,
    },
  };
}

/** Calls `each` for every row of a batch, in row order. */
export function forEachReading(batch: ReadingBatch, each: (reading: Reading, row: number) => void): void {
  const filled = new Array<number>(valueTypes.length).fill(0);
  for (let r = 0; r < batch.count; r++) {
    const property = batch.layout.properties[batch.index?.[r] ?? r]!;
    const rank = typeRank.get(property.type)!;
    const at = filled[rank]!;
    filled[rank] = at + 1;
    const flag = batch.flags?.[r] ?? flagGood;
    const reason = batch.reasonIndex?.[r] ?? 0;
    each(
      {
        device: batch.layout.device,
        property: property.name,
        type: property.type,
        time: (batch.baseTime + (batch.offsets?.[r] ?? 0)) as Micros,
        value: (flag & flagNull) !== 0 ? null : load(batch.columns[rank]!, at, property.type),
        quality: qualityOf(flag),
        reason: reason === 0 ? null : (batch.reasons[reason - 1] ?? null),
      },
      r,
    );
  }
}

export function readingsOf(batch: ReadingBatch): Reading[] {
  const readings: Reading[] = [];
  forEachReading(batch, (reading) => readings.push(reading));
  return readings;
}

/** The id that every stage's trace line carries, so that lines of one batch can be merged. */
export function traceId(batch: ReadingBatch): string {
  return `${batch.layout.device}@${batch.baseTime}`;
}
