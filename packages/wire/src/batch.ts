import {
  AppError,
  type BootId,
  type Column,
  type ErrorCode,
  type Layout,
  type LayoutProperty,
  limits,
  type Micros,
  type ReadingBatch,
  type UncertainClock,
  type ValueType,
  valueTypes,
} from "@penstock/model";
import { pack, unpack } from "./pack.ts";

/**
 * The body of a batch, the same bytes in the mapper's pipe, the outbox, the link and the store's hot table. MessagePack
 * array, typed arrays as little-endian bin:
 *
 *   [1, count, baseTime, index u16 | nil, offsets i32 | nil, flags u8 | nil, reasonIndex u8 | nil, reasons [text],
 *    columns [[type rank, bin | array of text | array of bin], …] ascending by rank, clock [boot, monotonic] | nil]
 *
 * A layout and a first sequence number stand beside it, not in it.
 */
const bodyVersion = 1;
/** Late in the year 2255. */
const latestBaseTime = Number.MAX_SAFE_INTEGER - 2 ** 31;

if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1)
  throw new Error("This machine is big-endian; typed arrays would not be");

export function encodeBatchBody(batch: ReadingBatch): Uint8Array {
  const columns: [number, unknown][] = [];
  batch.columns.forEach((column, rank) => {
    if (column !== undefined && column.length > 0)
      columns.push([rank, ArrayBuffer.isView(column) ? bytesOf(column) : column]);
  });
  return pack([
    bodyVersion,
    batch.count,
    batch.baseTime,
    batch.index && bytesOf(batch.index),
    batch.offsets && bytesOf(batch.offsets),
    batch.flags,
    batch.reasonIndex,
    batch.reasons,
    columns,
    batch.clock && [batch.clock.boot, batch.clock.monotonic],
  ]);
}

/**
 * @param layout the layout the body was made with
 * @throws AppError link/bad-frame when the body breaks its shape or does not fit the layout; nothing of it is used
 */
export function decodeBatchBody(layout: Layout, body: Uint8Array): ReadingBatch {
  let raw: unknown;
  try {
    raw = unpack(body);
  } catch (cause) {
    throw new AppError("link/bad-frame", "Cannot decode batch: not MessagePack", { cause });
  }
  if (!Array.isArray(raw) || raw.length < 10 || raw[0] !== bodyVersion) fail("not a version 1 array");
  const [, count, rawTime, index, offsets, flags, reasonIndex, reasons, columns, clock] = raw as unknown[];
  // Other encoders write microseconds as a 64-bit integer, ours as a float64 of the same whole number.
  const baseTime = typeof rawTime === "bigint" ? Number(rawTime) : rawTime;
  const width = layout.properties.length;
  if (!isInteger(count) || count < 0 || count > width || count > limits.readingsPerBatch)
    fail(`count ${String(count)}`);
  if (!isInteger(baseTime)) fail("baseTime is not whole microseconds");
  // With any offset added it is still a whole number that a double holds: the store could not read back a larger one.
  if (baseTime < 0 || baseTime > latestBaseTime) fail(`baseTime ${baseTime}, wanted 0..${latestBaseTime}`);
  if (index === null && count !== width) fail(`count ${count} without index, layout has ${width}`);
  const rows = index === null ? null : view(Uint16Array, index, count, "index");
  if (rows !== null) {
    for (let r = 0; r < count; r++) {
      if (rows[r]! >= width || (r > 0 && rows[r]! <= rows[r - 1]!)) fail("index is not ascending within the layout");
    }
  }
  const reasonList = reasons as unknown[];
  if (
    !Array.isArray(reasons) ||
    reasons.length > 255 ||
    !reasonList.every((r) => typeof r === "string" && r.length <= 64)
  )
    fail("reasons");
  const reasonAt = reasonIndex === null ? null : view(Uint8Array, reasonIndex, count, "reasonIndex");
  if (reasonAt !== null) for (const at of reasonAt) if (at > reasonList.length) fail("reasonIndex beyond reasons");
  const flagBytes = flags === null ? null : view(Uint8Array, flags, count, "flags");
  if (flagBytes !== null) for (const flag of flagBytes) if (flag > 7 || (flag & 3) === 3) fail("flags");
  return {
    layout,
    count,
    index: rows,
    baseTime: baseTime as Micros,
    offsets: offsets === null ? null : view(Int32Array, offsets, count, "offsets"),
    flags: flagBytes,
    reasonIndex: reasonAt,
    // A newer gateway may know reasons that we do not; they are carried as they are.
    reasons: reasonList as ErrorCode[],
    columns: decodeColumns(columns, rowsPerType(layout, rows)),
    clock: decodeClock(clock),
  };
}

/** Time bounds without decoding the rest: lowest and highest time of the batch, in microseconds. */
export function batchTimes(batch: ReadingBatch): { readonly lowest: Micros; readonly highest: Micros } {
  let low = 0;
  let high = 0;
  if (batch.offsets !== null && batch.count > 0) {
    low = high = batch.offsets[0]!;
    for (const offset of batch.offsets) {
      if (offset < low) low = offset;
      if (offset > high) high = offset;
    }
  }
  return { lowest: (batch.baseTime + low) as Micros, highest: (batch.baseTime + high) as Micros };
}

export function encodeLayout(layout: Layout): Uint8Array {
  return pack([layout.id, layout.device, layout.properties.map((p) => [p.name, valueTypes.indexOf(p.type)])]);
}

/** @throws AppError link/bad-frame */
export function decodeLayout(bytes: Uint8Array): Layout {
  let raw: unknown;
  try {
    raw = unpack(bytes);
  } catch (cause) {
    throw new AppError("link/bad-frame", "Cannot decode layout: not MessagePack", { cause });
  }
  if (!Array.isArray(raw) || raw.length < 3 || !Array.isArray(raw[2]))
    throw new AppError("link/bad-frame", "Cannot decode layout: wrong shape");
  const properties = (raw[2] as unknown[]).map((p): LayoutProperty => {
    const pair = Array.isArray(p) ? p : [];
    return { name: pair[0], type: valueTypes[pair[1] as number] as ValueType };
  });
  return checkLayout({ id: raw[0], device: raw[1], properties });
}

/** For layouts that came over a wire. @throws AppError link/bad-frame unless names are unique and in layout order */
export function checkLayout(layout: {
  readonly id: unknown;
  readonly device: unknown;
  readonly properties: unknown;
}): Layout {
  const { id, device, properties } = layout;
  if (!isInteger(id) || id < 0 || typeof device !== "string" || device.length > 64 || !Array.isArray(properties)) {
    throw new AppError("link/bad-frame", "Cannot decode layout: wrong shape");
  }
  if (properties.length > limits.propertiesPerDevice)
    throw new AppError("link/bad-frame", "Cannot decode layout: too many properties");
  let last = -1;
  let lastName = "";
  for (const property of properties as Partial<LayoutProperty>[]) {
    const rank = valueTypes.indexOf(property?.type as ValueType);
    const name = property?.name;
    if (
      rank < 0 ||
      typeof name !== "string" ||
      name.length > 64 ||
      rank < last ||
      (rank === last && name <= lastName)
    ) {
      throw new AppError("link/bad-frame", "Cannot decode layout: properties are not in layout order");
    }
    last = rank;
    lastName = name;
  }
  return { id, device: device as Layout["device"], properties: properties as LayoutProperty[] };
}

function rowsPerType(layout: Layout, rows: Uint16Array | null): number[] {
  const counts = new Array<number>(valueTypes.length).fill(0);
  const cached = rows === null ? fullCounts.get(layout) : undefined;
  if (cached !== undefined) return cached;
  const length = rows?.length ?? layout.properties.length;
  for (let r = 0; r < length; r++) {
    const rank = rankOf(layout.properties[rows?.[r] ?? r]!.type);
    counts[rank] = counts[rank]! + 1;
  }
  if (rows === null) fullCounts.set(layout, counts);
  return counts;
}
const fullCounts = new WeakMap<Layout, number[]>();
const ranks = new Map(valueTypes.map((type, rank) => [type, rank]));
function rankOf(type: ValueType): number {
  return ranks.get(type)!;
}

function decodeColumns(raw: unknown, counts: readonly number[]): (Column | undefined)[] {
  if (!Array.isArray(raw)) fail("columns");
  const columns = new Array<Column | undefined>(valueTypes.length).fill(undefined);
  for (const pair of raw as unknown[]) {
    if (!Array.isArray(pair) || pair.length < 2 || !isInteger(pair[0]) || columns[pair[0]] !== undefined)
      fail("columns");
    const rank = pair[0] as number;
    const type = valueTypes[rank];
    if (type === undefined) fail(`column of unknown type ${rank}`);
    columns[rank] = decodeColumn(type, pair[1], counts[rank]!);
  }
  counts.forEach((count, rank) => {
    if (count > 0 && columns[rank] === undefined) fail(`no ${valueTypes[rank]} column`);
  });
  return columns;
}

function decodeColumn(type: ValueType, raw: unknown, count: number): Column {
  switch (type) {
    case "bool": {
      const bools = view(Uint8Array, raw, count, type);
      for (const bool of bools) if (bool > 1) fail("bool that is neither 0 nor 1");
      return bools;
    }
    case "uint8":
      return view(Uint8Array, raw, count, type);
    case "int8":
      return view(Int8Array, raw, count, type);
    case "int16":
      return view(Int16Array, raw, count, type);
    case "uint16":
      return view(Uint16Array, raw, count, type);
    case "int32":
      return view(Int32Array, raw, count, type);
    case "uint32":
      return view(Uint32Array, raw, count, type);
    case "int64":
      return view(BigInt64Array, raw, count, type);
    case "uint64":
      return view(BigUint64Array, raw, count, type);
    case "float32":
      return finite(view(Float32Array, raw, count, type));
    case "float64":
      return finite(view(Float64Array, raw, count, type));
    case "string":
      return texts(raw, count);
    case "json": {
      const list = texts(raw, count);
      for (const text of list) if (text !== "" && !isJson(text)) fail("json value that is not JSON");
      return list;
    }
    case "bytes": {
      if (!Array.isArray(raw) || raw.length !== count) fail("bytes column");
      if (!raw.every((b) => b instanceof Uint8Array && b.length <= limits.bytesValueBytes)) fail("bytes value");
      // Copies: the decoder's bytes are views into the whole message, which would be kept alive by one value.
      return (raw as Uint8Array[]).map((b) => new Uint8Array(b));
    }
  }
}

type TypedArrayOf = {
  new (buffer: ArrayBuffer): ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
};

/** Copies, because bin values start at any byte and typed arrays must not. */
function view<C extends TypedArrayOf>(type: C, raw: unknown, count: number, what: string): InstanceType<C> {
  if (!(raw instanceof Uint8Array) || raw.length !== count * type.BYTES_PER_ELEMENT)
    fail(`${what} has the wrong length`);
  const copy = new ArrayBuffer(raw.length);
  new Uint8Array(copy).set(raw);
  return new type(copy) as InstanceType<C>;
}

function finite<A extends Float32Array | Float64Array>(values: A): A {
  for (const value of values) if (!Number.isFinite(value)) fail("float that is NaN or infinite");
  return values;
}

function texts(raw: unknown, count: number): string[] {
  if (!Array.isArray(raw) || raw.length !== count) fail("text column");
  if (!raw.every((t) => typeof t === "string" && t.length <= limits.stringValueBytes)) fail("text value");
  return raw as string[];
}

function decodeClock(raw: unknown): UncertainClock | null {
  if (raw === null) return null;
  if (!Array.isArray(raw) || typeof raw[0] !== "string" || raw[0].length > 64 || typeof raw[1] !== "number")
    fail("clock");
  return { boot: raw[0] as BootId, monotonic: raw[1] as number };
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function isInteger(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function fail(what: string): never {
  throw new AppError("link/bad-frame", `Cannot decode batch: ${what}`);
}
