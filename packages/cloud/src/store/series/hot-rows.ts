import { AppError, type Layout, type ValueType, valueTypes } from "@penstock/model";
import { unpack } from "@penstock/wire";
import type { SeriesRows } from "./series-rows.ts";

/** One stored batch, as its row in the hot table gives it. */
export interface HotBody {
  readonly source: number;
  readonly firstSeq: number;
  readonly body: Uint8Array;
}

/**
 * One property's readings out of hot batches: only the wanted column is touched, since the bodies were checked when they
 * came in (wire/src/batch.ts has their shape).
 */
export function rowsOfHot(layout: Layout, position: number, bodies: Iterable<HotBody>): SeriesRows {
  const type = layout.properties[position]!.type;
  const rank = valueTypes.indexOf(type);
  const found = { times: [] as number[], seqs: [] as number[], sources: [] as number[], flags: [] as number[] };
  const values: unknown[] = [];
  const reasons: number[] = [];
  const places = new Map<string, number>();
  const startInFull = layout.properties.findIndex((property) => property.type === type);
  let bad = false;

  for (const { source, firstSeq, body } of bodies) {
    const raw = unpack(body);
    if (!Array.isArray(raw)) throw new AppError("store/corrupt", "Cannot read a hot batch: not an array");
    const [, , baseTime, index, offsets, flagBytes, reasonIndex, reasonNames, columns] = raw as [
      number,
      number,
      number | bigint,
      Uint8Array | null,
      Uint8Array | null,
      Uint8Array | null,
      Uint8Array | null,
      string[],
      [number, Uint8Array | unknown[]][],
    ];
    const row = index === null ? position : rowIn(index, position);
    if (row < 0) continue;
    const start = index === null ? startInFull : startIn(index, layout, type);
    const column = columns.find(([r]) => r === rank)![1];
    const flag = flagBytes?.[row] ?? 0;
    found.times.push(Number(baseTime) + (offsets === null ? 0 : view(offsets).getInt32(row * 4, true)));
    found.seqs.push(firstSeq + row);
    found.sources.push(source);
    found.flags.push(flag);
    bad ||= flag !== 0;
    values.push(column instanceof Uint8Array ? element(column, row - start, type) : column[row - start]);
    const name = reasonNames[(reasonIndex?.[row] ?? 0) - 1];
    if (name === undefined) reasons.push(0);
    else {
      const place = places.get(name) ?? places.size + 1;
      places.set(name, place);
      reasons.push(place);
    }
  }
  return {
    type,
    count: values.length,
    times: Float64Array.from(found.times),
    seqs: Float64Array.from(found.seqs),
    sources: Float64Array.from(found.sources),
    // The cast: `element` gives what SeriesColumn holds for the type; a plain array of numbers reads like a Float64Array.
    values: (typeof values[0] === "number" ? Float64Array.from(values as number[]) : values) as SeriesRows["values"],
    flags: bad ? found.flags : null,
    reasons: places.size > 0 ? reasons : null,
    reasonNames: [...places.keys()],
  };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function element(column: Uint8Array, at: number, type: ValueType): number | bigint {
  const bytes = view(column);
  switch (type) {
    case "bool":
    case "uint8":
      return bytes.getUint8(at);
    case "int8":
      return bytes.getInt8(at);
    case "int16":
      return bytes.getInt16(at * 2, true);
    case "uint16":
      return bytes.getUint16(at * 2, true);
    case "int32":
      return bytes.getInt32(at * 4, true);
    case "uint32":
      return bytes.getUint32(at * 4, true);
    case "int64":
      return bytes.getBigInt64(at * 8, true);
    case "uint64":
      return bytes.getBigUint64(at * 8, true);
    case "float32":
      return bytes.getFloat32(at * 4, true);
    case "float64":
      return bytes.getFloat64(at * 8, true);
    default:
      throw new AppError("store/corrupt", `Cannot read a hot batch: ${type} column in bytes`);
  }
}

function rowIn(index: Uint8Array, position: number): number {
  const positions = view(index);
  for (let row = 0; row * 2 < index.length; row++) if (positions.getUint16(row * 2, true) === position) return row;
  return -1;
}

function startIn(index: Uint8Array, layout: Layout, type: ValueType): number {
  const positions = view(index);
  for (let row = 0; ; row++) if (layout.properties[positions.getUint16(row * 2, true)]!.type === type) return row;
}
