import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** Small whole numbers that seldom change: (value, how often) pairs. null stands for "all zero" and costs one byte. */
export function packRuns(out: ByteWriter, values: ArrayLike<number> | null, count: number): void {
  if (values === null || count === 0) {
    out.u8(0);
    return;
  }
  out.u8(1);
  for (let from = 0; from < count; ) {
    const value = values[from]!;
    let to = from + 1;
    while (to < count && values[to] === value) to++;
    out.varint(value);
    out.varint(to - from);
    from = to;
  }
}

export function unpackRuns(input: ByteReader, count: number): Float64Array | null {
  if (input.u8() === 0) return null;
  const values = new Float64Array(count);
  for (let at = 0; at < count; ) {
    const value = input.varint();
    const length = input.varint();
    values.fill(value, at, at + length);
    // A length of zero would never end.
    at += Math.max(1, length);
  }
  return values;
}
