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
import type { HostFunctions } from "./define-function.ts";

const pack = { gzip: gzipSync, zlib: deflateSync, flate: deflateRawSync, zstd: zstdCompressSync };
const unpack = { gzip: gunzipSync, zlib: inflateSync, flate: inflateRawSync, zstd: zstdDecompressSync };

/** What Node has, and a random that is none. */
export const testHost: HostFunctions = {
  digest: (algorithm, bytes) => new Uint8Array(createHash(algorithm).update(bytes).digest()),
  compress: (method, bytes) => new Uint8Array(pack[method](bytes)),
  decompress: (method, bytes) => new Uint8Array(unpack[method](bytes)),
  random: () => 0.5,
  property: (name) => (name === "site" ? "north" : null),
  keyedState: (key) => (key === "limit" ? "42" : key === "when" ? 1000n : null),
  uuid: () => "00000000-0000-4000-8000-000000000000",
};
