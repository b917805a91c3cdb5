import { AppError } from "@penstock/model";
import { ByteWriter } from "./byte-writer.ts";
import { opened, sealed } from "./checksum.ts";
import { packIntegers, unpackIntegers } from "./integers.ts";
import { packRuns, unpackRuns } from "./runs.ts";

/**
 * What all series of a block share. A tick is one batch; the reading of the property at position p has the tick's source,
 * sequence number firstSeqs + row, and time baseTimes + offset, where row is p, or p's place in the tick's pattern.
 *
 *   version u8 | count varint | sources | base times | first seqs | reasons | patterns varint | each: 0, or 1 and its positions
 *   (0 = every property) | pattern of each tick, runs | CRC-32
 */
export interface Ticks {
  /** the store's own number of (tenant, node, epoch) */
  readonly sources: Float64Array;
  readonly baseTimes: Float64Array;
  readonly firstSeqs: Float64Array;
  /** distinct `index` columns of the batches; null = every property in order */
  readonly patterns: readonly (Uint16Array | null)[];
  /** per tick its place in patterns; null = all the first */
  readonly patternOf: ArrayLike<number> | null;
  readonly reasons: readonly string[];
}
const version = 1;

export function encodeTicks(ticks: Ticks): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  const count = ticks.baseTimes.length;
  out.u8(version);
  out.varint(count);
  packIntegers(out, ticks.sources, count);
  packIntegers(out, ticks.baseTimes, count);
  packIntegers(out, ticks.firstSeqs, count);
  out.varint(ticks.reasons.length);
  for (const reason of ticks.reasons) out.section(Buffer.from(reason));
  out.varint(ticks.patterns.length);
  for (const pattern of ticks.patterns) {
    out.u8(pattern === null ? 0 : 1);
    if (pattern !== null) {
      out.varint(pattern.length);
      packIntegers(out, Float64Array.from(pattern), pattern.length);
    }
  }
  packRuns(out, ticks.patternOf, count);
  return sealed(out);
}

/** @throws AppError store/corrupt */
export function decodeTicks(bytes: Uint8Array): Ticks {
  const input = opened(bytes, "a block");
  const found = input.u8();
  if (found !== version) {
    throw new AppError("store/corrupt", `Cannot read a block: version ${found}, this program knows ${version}`);
  }
  const count = input.varint();
  const sources = unpackIntegers(input, count);
  const baseTimes = unpackIntegers(input, count);
  const firstSeqs = unpackIntegers(input, count);
  const reasons = Array.from({ length: input.varint() }, () => Buffer.from(input.section()).toString());
  const patterns = Array.from({ length: input.varint() }, () =>
    input.u8() === 0 ? null : Uint16Array.from(unpackIntegers(input, input.varint())),
  );
  return { sources, baseTimes, firstSeqs, reasons, patterns, patternOf: unpackRuns(input, count) };
}

/** For each pattern, the row of the property at `position`; -1 where the pattern has it not. */
export function rowsOf(ticks: Ticks, position: number): number[] {
  return ticks.patterns.map((pattern) => (pattern === null ? position : placeIn(pattern, position)));
}

/** Patterns ascend. */
function placeIn(pattern: Uint16Array, position: number): number {
  let low = 0;
  let high = pattern.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = pattern[middle]!;
    if (found === position) return middle;
    if (found < position) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
