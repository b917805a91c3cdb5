import { AppError, type ValueType, valueTypes } from "@penstock/model";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { opened, sealed } from "./checksum.ts";
import { packIntegers, unpackIntegers } from "./integers.ts";
import { packRuns, unpackRuns } from "./runs.ts";
import { packValues, type SeriesColumn, unpackValues } from "./values.ts";

/**
 * One series' part of a block: a row for each tick the series is in, in tick order. What the series of a block share
 * (times, sequence numbers, sources, names of reasons) stands once in the block (ticks.ts), not here.
 *
 *   version u8 | type u8 | count varint | offsets: 0 none, 1 whole numbers, 2 position varint of the series that has them
 *   | flags runs | reasons runs | values | CRC-32
 */
export interface Chunk {
  readonly type: ValueType;
  readonly values: SeriesColumn;
  /** microseconds from the tick's base time; null = all zero; a number = equal to those of the series at that position */
  readonly offsets: Float64Array | number | null;
  /** flag byte per row (model/quality.ts); null = all good */
  readonly flags: ArrayLike<number> | null;
  /** per row: 0 = none, k = the block's reasons[k-1]; null = none */
  readonly reasons: ArrayLike<number> | null;
}
const version = 1;

/** @param out emptied first; kept by the caller to save allocations */
export function encodeChunk(out: ByteWriter, chunk: Chunk): Uint8Array<ArrayBuffer> {
  const count = chunk.values.length;
  out.length = 0;
  out.u8(version);
  out.u8(valueTypes.indexOf(chunk.type));
  out.varint(count);
  if (chunk.offsets === null) out.u8(0);
  else if (typeof chunk.offsets === "number") {
    out.u8(2);
    out.varint(chunk.offsets);
  } else {
    out.u8(1);
    packIntegers(out, chunk.offsets, count);
  }
  packRuns(out, chunk.flags, count);
  packRuns(out, chunk.reasons, count);
  packValues(out, chunk.type, chunk.values);
  return sealed(out);
}

/** @throws AppError store/corrupt */
export function decodeChunk(bytes: Uint8Array): Chunk {
  const { input, type, count } = openChunk(bytes);
  const offsets = unpackOffsets(input, count);
  const flags = unpackRuns(input, count);
  const reasons = unpackRuns(input, count);
  return { type, offsets, flags, reasons, values: unpackValues(input, type, count) };
}

/** Only the offsets, for a series that shares them. @throws AppError store/corrupt */
export function decodeOffsets(bytes: Uint8Array): Chunk["offsets"] {
  const { input, count } = openChunk(bytes);
  return unpackOffsets(input, count);
}

function openChunk(bytes: Uint8Array): { input: ByteReader; type: ValueType; count: number } {
  const input = opened(bytes, "a chunk");
  const found = input.u8();
  const type = valueTypes[input.u8()];
  if (found !== version || type === undefined) {
    throw new AppError("store/corrupt", `Cannot read a chunk: version ${found}, this program knows ${version}`);
  }
  return { input, type, count: input.varint() };
}

function unpackOffsets(input: ByteReader, count: number): Float64Array | number | null {
  const form = input.u8();
  if (form === 0) return null;
  return form === 2 ? input.varint() : unpackIntegers(input, count);
}
