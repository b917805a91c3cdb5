import { crc32c } from "./crc32c.ts";
import type { ReadFile } from "./files.ts";

/**
 * Records of a segment or journal file, one after the other:
 *
 *   length   u32, little-endian, of the payload; never 0, so that a run of zeros is no record
 *   crc      u32, little-endian, CRC-32C of the payload
 *   payload
 */
export const recordHeadBytes = 8;
/** What a head may claim at most; a larger length is damage, and nothing is allocated for it. */
export const recordBytesMax = 64 * 1024 * 1024;

/** The record of a payload that is handed in parts, ready for `AppendFile.append`. */
export function frameRecord(parts: readonly Uint8Array[]): Uint8Array[] {
  const head = new Uint8Array(recordHeadBytes);
  const view = new DataView(head.buffer);
  let length = 0;
  let crc = 0;
  for (const part of parts) {
    length += part.length;
    crc = crc32c(part, crc);
  }
  view.setUint32(0, length, true);
  view.setUint32(4, crc, true);
  return [head, ...parts];
}

export interface ScanOptions {
  readonly file: ReadFile;
  /** where a record begins; default 0 */
  readonly from?: number;
  /** bytes of the file that count: its size, or what is durable of it */
  readonly to: number;
  /** read from the disk at a time; default 256 KiB */
  readonly chunkBytes?: number;
  /** a whole record and the place where it begins; false ends the scan after it. The payload is a view, never changed later */
  each(payload: Uint8Array, at: number): boolean | undefined;
}
export interface ScanResult {
  /** just after the last whole record that was handed out */
  readonly end: number;
  /** why the scan ended before `to`, when a record was torn or failed its checksum */
  readonly damage: string | null;
}

/**
 * Reads records in file order with large sequential reads. Whether damage is a torn tail, which the caller cuts, or a loss
 * is the caller's to decide: only it knows what had been promised.
 */
export async function scanRecords(options: ScanOptions): Promise<ScanResult> {
  const { file, to, each, chunkBytes = 256 * 1024 } = options;
  let at = options.from ?? 0;
  let want = chunkBytes;
  while (at < to) {
    const asked = Math.min(want, to - at);
    const chunk = await file.read(at, asked);
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    want = chunkBytes;
    let used = 0;
    while (used + recordHeadBytes <= chunk.length) {
      const length = view.getUint32(used, true);
      if (length === 0 || length > recordBytesMax) return { end: at + used, damage: `record length ${length}` };
      const next = used + recordHeadBytes + length;
      if (next > chunk.length) {
        want = Math.max(chunkBytes, recordHeadBytes + length);
        break;
      }
      const payload = chunk.subarray(used + recordHeadBytes, next);
      if (crc32c(payload) !== view.getUint32(used + 4, true)) return { end: at + used, damage: "checksum differs" };
      const goOn = each(payload, at + used);
      used = next;
      if (goOn === false) return { end: at + used, damage: null };
    }
    // Not one whole record, and nothing more to read: the file ends inside it.
    if (used === 0 && (chunk.length < asked || at + asked === to)) return { end: at, damage: "cut off" };
    at += used;
  }
  return { end: at, damage: null };
}
