import type { ValueType } from "@penstock/model";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { packFloats, unpackFloats } from "./floats.ts";
import { packIntegers, unpackIntegers } from "./integers.ts";
import { packBlobs, packTexts, unpackBlobs, unpackTexts } from "./texts.ts";
import { packWide, unpackWide, type WideColumn } from "./wide-integers.ts";

/**
 * The values of one series as the codec takes and gives them: bool (0, 1), integers up to 32 bits and floats as
 * Float64Array, 64-bit integers as they are, string and json as text, bytes as bytes. Null rows hold any value.
 */
export type SeriesColumn = Float64Array | WideColumn | readonly string[] | readonly Uint8Array[];

export function packValues(out: ByteWriter, type: ValueType, values: SeriesColumn): void {
  // The casts follow from SeriesColumn's rule for the type.
  switch (type) {
    case "float32":
    case "float64":
      packFloats(out, { values: values as Float64Array, count: values.length, narrow: type === "float32" });
      break;
    case "int64":
    case "uint64":
      packWide(out, values as WideColumn, values.length);
      break;
    case "string":
    case "json":
      packTexts(out, values as readonly string[]);
      break;
    case "bytes":
      packBlobs(out, values as readonly Uint8Array[]);
      break;
    default:
      packIntegers(out, values as Float64Array, values.length);
      break;
  }
}

export function unpackValues(input: ByteReader, type: ValueType, count: number): SeriesColumn {
  switch (type) {
    case "float32":
    case "float64":
      return unpackFloats(input, count, type === "float32");
    case "int64":
    case "uint64":
      return unpackWide(input, count, type === "int64");
    case "string":
    case "json":
      return unpackTexts(input, count);
    case "bytes":
      return unpackBlobs(input, count);
    default:
      return unpackIntegers(input, count);
  }
}
