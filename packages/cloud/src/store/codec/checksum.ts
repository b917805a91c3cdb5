import { crc32 } from "node:zlib";
import { AppError } from "@penstock/model";
import { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** Ends what was written with its CRC-32 (IEEE 802.3) and gives it out. */
export function sealed(out: ByteWriter): Uint8Array<ArrayBuffer> {
  out.reserve(4);
  const sum = crc32(out.bytes.subarray(0, out.length));
  new DataView(out.bytes.buffer).setUint32(out.length, sum, true);
  out.length += 4;
  return out.copy();
}

/** @throws AppError store/corrupt */
export function opened(bytes: Uint8Array, what: string): ByteReader {
  const end = bytes.length - 4;
  if (
    end < 0 ||
    crc32(bytes.subarray(0, end)) !== new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true)
  ) {
    throw new AppError("store/corrupt", `Cannot read ${what}: wrong checksum`);
  }
  return new ByteReader(bytes.subarray(0, end));
}
