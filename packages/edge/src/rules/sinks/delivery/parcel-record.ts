import { fromBase64, type Micros, toBase64 } from "@penstock/model";
import { Instant, kindOf, type ObjectValue, type Value } from "@penstock/rules";
import type { Parcel } from "./courier.ts";

/** A parcel as it stands in the cache: JSON in which every value comes back as what it was. */
export interface StoredParcel extends Parcel {
  /** how often it was tried before it was stored */
  readonly tries: number;
}
type Packed = null | boolean | number | string | readonly Packed[] | { readonly [tag: string]: unknown };

export function encodeParcel({ address, rows, isList, tries }: StoredParcel): Uint8Array {
  const text = JSON.stringify([address, isList, tries, rows.map(({ row, time }) => [time, pack(row)])]);
  return new TextEncoder().encode(text);
}

/** Reads only what `encodeParcel` wrote, behind a checksum. */
export function decodeParcel(bytes: Uint8Array): StoredParcel {
  const [address, isList, tries, rows] = JSON.parse(new TextDecoder().decode(bytes)) as [
    string,
    boolean,
    number,
    [Micros, Packed][],
  ];
  return { address, isList, tries, rows: rows.map(([time, row]) => ({ time, row: unpack(row) as ObjectValue })) };
}

function pack(value: Value): Packed {
  switch (kindOf(value)) {
    case "bigint":
      return { i: String(value) };
    case "float": {
      const number = value as number;
      // JSON has neither NaN nor the infinities nor a negative zero.
      if (Object.is(number, -0)) return { f: "-0" };
      return Number.isFinite(number) ? number : { f: String(number) };
    }
    case "bytea":
      return { b: toBase64(value as Uint8Array) };
    case "datetime":
      return { t: (value as Instant).micros };
    case "array":
      return (value as readonly Value[]).map(pack);
    case "struct":
      return { o: Object.entries(value as ObjectValue).map(([name, one]) => [name, pack(one)]) };
    default:
      return (value ?? null) as Packed;
  }
}

function unpack(packed: Packed): Value {
  if (typeof packed !== "object" || packed === null) return packed;
  if (Array.isArray(packed)) return packed.map(unpack);
  const { i, f, b, t, o } = packed as { i?: string; f?: string; b?: string; t?: number; o?: [string, Packed][] };
  if (i !== undefined) return BigInt(i);
  if (f !== undefined) return Number(f);
  if (b !== undefined) return fromBase64(b);
  if (t !== undefined) return new Instant(t);
  return Object.fromEntries((o ?? []).map(([name, one]) => [name, unpack(one)]));
}
