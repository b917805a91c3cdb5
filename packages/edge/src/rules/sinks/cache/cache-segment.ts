import { addRange, holds, type Ranges } from "@penstock/model";
import { type Files, scanRecords } from "@penstock/runtime";

/** One file of the cache, as it is known in memory. */
export interface CacheSegment {
  readonly ordinal: number;
  readonly path: string;
  /** bytes of the file that count: what is durable of it */
  bytes: number;
  records: number;
  /** of the records not passed yet */
  rowsLeft: number;
  /** places of the records that are done with, from 0 */
  passed: Ranges;
}

const namePattern = /^(\d{12})\.results$/;
export const segmentNameOf = (ordinal: number) => `${String(ordinal).padStart(12, "0")}.results`;
/** @returns null when it is not a segment's name */
export function ordinalOf(name: string): number | null {
  const match = namePattern.exec(name);
  return match === null ? null : Number(match[1]);
}

/** A record is its number of rows, u32 little-endian, and then what was handed in. */
const headBytes = 4;
export function recordParts(rows: number, bytes: Uint8Array): readonly Uint8Array[] {
  const head = new Uint8Array(headBytes);
  new DataView(head.buffer).setUint32(0, rows, true);
  return [head, bytes];
}
const rowsIn = (record: Uint8Array) => new DataView(record.buffer, record.byteOffset).getUint32(0, true);

/** Reads a segment that an earlier life left. A torn end was never promised. */
export async function recoverSegment(
  files: Files,
  segment: { readonly ordinal: number; readonly path: string; readonly passed: Ranges },
): Promise<{ readonly segment: CacheSegment; readonly damage: string | null }> {
  const found: CacheSegment = { ...segment, bytes: 0, records: 0, rowsLeft: 0 };
  const file = await files.openRead(segment.path);
  try {
    const { end, damage } = await scanRecords({
      file,
      to: await file.size(),
      each(record) {
        if (!isPassed(found, found.records)) found.rowsLeft += rowsIn(record);
        found.records++;
        return true;
      },
    });
    found.bytes = end;
    return { segment: found, damage };
  } finally {
    await file.close();
  }
}

/** All records of a segment: what was handed in, and how many rows it has. */
export async function readSegment(
  files: Files,
  { path, bytes }: CacheSegment,
): Promise<readonly { readonly rows: number; readonly bytes: Uint8Array }[]> {
  const records: { rows: number; bytes: Uint8Array }[] = [];
  const file = await files.openRead(path);
  try {
    await scanRecords({
      file,
      to: bytes,
      each(record) {
        records.push({ rows: rowsIn(record), bytes: record.subarray(headBytes) });
        return true;
      },
    });
    return records;
  } finally {
    await file.close();
  }
}

export const isPassed = ({ passed }: Pick<CacheSegment, "passed">, at: number) => holds(passed, at, at);
export const pass = (segment: CacheSegment, at: number) => {
  segment.passed = addRange(segment.passed, at, at);
};
export const leftOf = ({ records, passed }: CacheSegment) =>
  records - passed.reduce((sum, [from, to]) => sum + to - from + 1, 0);
