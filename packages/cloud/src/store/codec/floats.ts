import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { packDeflated, shuffled, unpackDeflated, unshuffled } from "./deflate.ts";
import { packIntegers, unpackIntegers } from "./integers.ts";

/**
 * Finite floats, bit for bit. Machines report decimals (21.5, or a register times 0.1), so most columns are whole numbers
 * in disguise; each is checked by computing it back, and what does not come back exactly stands beside as it is.
 *
 *   0 | digits u8 | whole numbers | exceptions varint, then (distance varint, float64) each    value = whole ÷ 10^digits
 *   1 | the same                                                                                value = whole × 10^-digits
 *   2 | distinct varint | float64 … | indexes as whole numbers
 *   3 | byte planes, deflated (float32 columns as float32)
 *
 * @source A. Afroozeh et al., "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2023: decimals as integers with
 * exceptions. Division by an exact power of ten (digits ≤ 22) is correctly rounded, so it gives the nearest double of the decimal
 */
const forms = { divided: 0, multiplied: 1, distinct: 2, planes: 3 } as const;
const mostDigits = 14;
const largestWhole = 2 ** 50;
const powers = Array.from({ length: mostDigits + 1 }, (_, digits) => Number(`1e${digits}`));
const inverses = Array.from({ length: mostDigits + 1 }, (_, digits) => Number(`1e-${digits}`));

interface FloatColumn {
  readonly values: Float64Array;
  readonly count: number;
  /** the column was float32: values come back through Math.fround */
  readonly narrow: boolean;
}
type Form = 0 | 1;

export function packFloats(out: ByteWriter, column: FloatColumn): void {
  for (const form of [forms.divided, forms.multiplied] as const) {
    const digits = findDigits(column, form);
    if (digits !== null && packDecimals(out, column, form, digits)) return;
  }
  if (packDistinct(out, column)) return;
  const { values, count, narrow } = column;
  out.u8(forms.planes);
  const raw = narrow ? Float32Array.from(values.subarray(0, count)) : values.slice(0, count);
  packDeflated(out, shuffled(new Uint8Array(raw.buffer), narrow ? 4 : 8));
}

export function unpackFloats(input: ByteReader, count: number, narrow: boolean): Float64Array {
  const form = input.u8();
  if (form === forms.planes) {
    const bytes = unshuffled(unpackDeflated(input), narrow ? 4 : 8);
    return narrow ? Float64Array.from(new Float32Array(bytes.buffer)) : new Float64Array(bytes.buffer);
  }
  if (form === forms.distinct) return unpackDistinct(input, count);
  const digits = input.u8();
  const values = unpackIntegers(input, count);
  const power = powers[digits]!;
  const inverse = inverses[digits]!;
  for (let i = 0; i < count; i++) {
    const value = form === forms.divided ? values[i]! / power : values[i]! * inverse;
    values[i] = narrow ? Math.fround(value) : value;
  }
  const exceptions = input.varint();
  for (let k = 0, at = 0; k < exceptions; k++) {
    at += input.varint();
    values[at] = float64(input.raw(8));
  }
  return values;
}

/** The digits that most of some sampled values need, or null when they are no decimals of this form. */
function findDigits({ values, count, narrow }: FloatColumn, form: Form): number | null {
  const step = Math.max(1, Math.floor(count / 16));
  let digits = 0;
  let sampled = 0;
  let failed = 0;
  for (let i = 0; i < count; i += step) {
    sampled++;
    let needed = digits;
    while (needed <= mostDigits && Number.isNaN(wholeOf(values[i]!, needed, form, narrow))) needed++;
    if (needed > mostDigits) failed++;
    else digits = needed;
  }
  return failed * 8 > sampled ? null : digits;
}

/** NaN when the value does not come back bit for bit (-0 does not). */
function wholeOf(value: number, digits: number, form: Form, narrow: boolean): number {
  const whole = Math.round(value * powers[digits]!);
  const back = form === forms.divided ? whole / powers[digits]! : whole * inverses[digits]!;
  if ((narrow ? Math.fround(back) : back) !== value || Math.abs(whole) > largestWhole) return Number.NaN;
  if (whole === 0) return Object.is(value, -0) ? Number.NaN : 0;
  return whole;
}

/** false, with nothing written, when too many values are exceptions */
function packDecimals(out: ByteWriter, { values, count, narrow }: FloatColumn, form: Form, digits: number): boolean {
  const wholes = new Float64Array(count);
  const exceptions: number[] = [];
  const most = count >> 3;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const whole = wholeOf(values[i]!, digits, form, narrow);
    if (Number.isNaN(whole)) {
      if (exceptions.push(i) > most) return false;
    } else before = whole;
    wholes[i] = before;
  }
  out.u8(form);
  out.u8(digits);
  packIntegers(out, wholes, count);
  out.varint(exceptions.length);
  let last = 0;
  for (const at of exceptions) {
    out.varint(at - last);
    out.raw(new Uint8Array(values.slice(at, at + 1).buffer));
    last = at;
  }
  return true;
}

/** false, with nothing written, when more than a third of the values differ */
function packDistinct(out: ByteWriter, { values, count }: FloatColumn): boolean {
  const most = Math.max(1, Math.floor(count / 3));
  const bits = new BigUint64Array(values.buffer, values.byteOffset, count);
  // By bit pattern: a Map would take -0 for 0.
  const places = new Map<bigint, number>();
  for (let i = 0; i < count; i++) {
    const pattern = bits[i]!;
    if (places.has(pattern)) continue;
    if (places.size === most) return false;
    places.set(pattern, 0);
  }
  // Sorted, so that near values have near indexes.
  const distinct = new Float64Array(BigUint64Array.from(places.keys()).buffer).sort();
  new BigUint64Array(distinct.buffer).forEach((pattern, place) => void places.set(pattern, place));
  out.u8(forms.distinct);
  out.varint(distinct.length);
  out.raw(new Uint8Array(distinct.buffer));
  packIntegers(
    out,
    Float64Array.from({ length: count }, (_, i) => places.get(bits[i]!)!),
    count,
  );
  return true;
}

function unpackDistinct(input: ByteReader, count: number): Float64Array {
  const length = input.varint();
  const distinct = new Float64Array(new Uint8Array(input.raw(length * 8)).buffer);
  const values = unpackIntegers(input, count);
  for (let i = 0; i < count; i++) values[i] = distinct[values[i]!]!;
  return values;
}

function float64(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}
