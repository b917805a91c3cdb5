import { createHash } from "node:crypto";
import {
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { zoneOffset } from "@penstock/model";
import type { Random } from "./random.ts";

/** what one value may become when it is unpacked: a few bytes may stand for gigabytes */
const unpacked = { maxOutputLength: 1024 * 1024 };

type Compression = "gzip" | "zlib" | "flate" | "zstd";

/** What SQL functions of packages/rules may not do by themselves; the shape is its `HostFunctions`. */
export function hostFunctions(random: Random) {
  return {
    digest: (algorithm: "md5" | "sha1" | "sha256" | "sha384" | "sha512", bytes: Uint8Array): Uint8Array =>
      createHash(algorithm).update(bytes).digest(),
    compress: (method: Compression, bytes: Uint8Array): Uint8Array => packers[method].pack(bytes),
    decompress: (method: Compression, bytes: Uint8Array): Uint8Array => packers[method].unpack(bytes),
    random: (): number => random.number(),
    uuid(): string {
      const bytes = random.bytes(16);
      // RFC 9562, 5.4: version 4, variant 10.
      bytes[6] = (bytes[6]! & 0x0f) | 0x40;
      bytes[8] = (bytes[8]! & 0x3f) | 0x80;
      return Buffer.from(bytes)
        .toString("hex")
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
  };
}

type Change = (bytes: Uint8Array) => Uint8Array;
/** @source eKuiper's `flate` is Go's package compress/flate: RFC 1951 without a header */
const packers: Readonly<Record<Compression, { pack: Change; unpack: Change }>> = {
  gzip: { pack: (bytes) => gzipSync(bytes), unpack: (bytes) => gunzipSync(bytes, unpacked) },
  zlib: { pack: (bytes) => deflateSync(bytes), unpack: (bytes) => inflateSync(bytes, unpacked) },
  flate: { pack: (bytes) => deflateRawSync(bytes), unpack: (bytes) => inflateRawSync(bytes, unpacked) },
  zstd: { pack: (bytes) => zstdCompressSync(bytes), unpack: (bytes) => zstdDecompressSync(bytes, unpacked) },
};

/** All offsets of the time zone database since 1970 change at a quarter of an hour. */
const quarter = 900_000_000;

/** How much local time of a zone is ahead of UTC, both in microseconds; asked for each row, so the last answer is kept. */
export function offsetAtOf(timeZone: string): (micros: number) => number {
  const offsetMs = zoneOffset(timeZone);
  let [from, offset] = [Number.NaN, 0];
  return (micros) => {
    const begin = Math.floor(micros / quarter) * quarter;
    if (begin !== from) [from, offset] = [begin, offsetMs(begin / 1000) * 1000];
    return offset;
  };
}
