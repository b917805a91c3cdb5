import { bitsFor, packBits, packedBytes, unpackBits } from "./bits.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/**
 * Whole numbers as plain values, differences or differences of differences, whichever is smallest, in blocks of 128 with
 * their own base and width (frame of reference). What all differences have in common as a divisor is taken out first:
 * millisecond times in microseconds, or a counter that steps in tens, cost no more than their information.
 *
 *   mode u8 | first signed | divisor varint | blocks: base signed, width u8, bits …       (modes 0..2)
 *   mode u8 | float64 little-endian …                                                     (mode 3: spread beyond 2^51)
 */
const modes = { plain: 0, delta: 1, deltaOfDelta: 2, raw: 3 } as const;
const blockLength = 128;
// Differences of differences of numbers in a spread of 2^51 stay below 2^53.
const widestSpread = 2 ** 51;

let scratch = [new Float64Array(1024), new Float64Array(1024), new Float64Array(1024)] as const;

/** @param values safe integers, -0 not among them; left unchanged */
export function packIntegers(out: ByteWriter, values: Float64Array, count: number): void {
  if (count === 0) return;
  const first = values[0]!;
  const divisor = commonDivisor(values, count, first);
  if (divisor === null) {
    out.u8(modes.raw);
    out.raw(new Uint8Array(values.slice(0, count).buffer));
    return;
  }
  if (scratch[0].length < count) {
    scratch = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  }
  const [plain, delta, second] = scratch;
  let before = 0;
  let deltaBefore = 0;
  for (let i = 0; i < count; i++) {
    const value = (values[i]! - first) / divisor;
    const difference = value - before;
    plain[i] = value;
    delta[i] = difference;
    second[i] = difference - deltaBefore;
    before = value;
    deltaBefore = difference;
  }
  let mode: 0 | 1 | 2 = modes.plain;
  let cost = costOf(plain, count);
  for (const candidate of [modes.delta, modes.deltaOfDelta] as const) {
    const other = costOf(scratch[candidate], count);
    if (other < cost) {
      mode = candidate;
      cost = other;
    }
  }
  out.u8(mode);
  out.signed(first);
  out.varint(divisor);
  const chosen = scratch[mode];
  for (let from = 0; from < count; from += blockLength) {
    const to = Math.min(count, from + blockLength);
    const { base, width } = frameOf(chosen, from, to);
    out.signed(base);
    out.u8(width);
    packBits(out, chosen, { from, to, base, width });
  }
}

export function unpackIntegers(input: ByteReader, count: number): Float64Array<ArrayBuffer> {
  const values = new Float64Array(count);
  if (count === 0) return values;
  const mode = input.u8();
  if (mode === modes.raw) {
    new Uint8Array(values.buffer).set(input.raw(count * 8));
    return values;
  }
  const first = input.signed();
  const divisor = input.varint();
  for (let from = 0; from < count; from += blockLength) {
    const to = Math.min(count, from + blockLength);
    const base = input.signed();
    unpackBits(input, values, { from, to, base, width: input.u8() });
  }
  let value = 0;
  let difference = 0;
  for (let i = 0; i < count; i++) {
    if (mode === modes.plain) value = values[i]!;
    else if (mode === modes.delta) value += values[i]!;
    else {
      difference += values[i]!;
      value += difference;
    }
    values[i] = first + value * divisor;
  }
  return values;
}

/** null when the spread is too wide for differences of differences */
function commonDivisor(values: Float64Array, count: number, first: number): number | null {
  let divisor = 0;
  for (let i = 1; i < count; i++) {
    let rest = Math.abs(values[i]! - first);
    if (rest > widestSpread / 2) return null;
    if (divisor === 1) continue;
    while (rest !== 0) {
      const next = divisor % rest;
      divisor = rest;
      rest = next;
    }
  }
  return divisor === 0 ? 1 : divisor;
}

function frameOf(values: Float64Array, from: number, to: number): { base: number; width: number } {
  let low = values[from]!;
  let high = low;
  for (let i = from + 1; i < to; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  return { base: low, width: bitsFor(high - low) };
}

function costOf(values: Float64Array, count: number): number {
  let cost = 0;
  for (let from = 0; from < count; from += blockLength) {
    const to = Math.min(count, from + blockLength);
    const { base, width } = frameOf(values, from, to);
    cost += 2 + (bitsFor(Math.abs(base)) >> 3) + packedBytes(to - from, width);
  }
  return cost;
}
