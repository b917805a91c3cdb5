/** Which bytes of a characteristic's value a property is, and in which order. */
export interface ByteRange {
  /** first byte in the value */
  readonly from: number;
  /** number of bytes; null: all that there are */
  readonly length: number | null;
  /** the last byte is the most significant one */
  readonly isBackwards: boolean;
}

/**
 * A range by KubeEdge's startIndex and endIndex: both count, and start may stand behind end.
 *
 * @param length  bytes that the raw type has by itself; null where it has none
 */
export function byteRange(start: number | undefined, end: number | undefined, length: number | null): ByteRange {
  if (start === undefined && end === undefined) return { from: 0, length, isBackwards: false };
  if (end === undefined) return { from: start!, length, isBackwards: false };
  const first = start ?? 0;
  return { from: Math.min(first, end), length: Math.abs(end - first) + 1, isBackwards: first > end };
}

/** The bytes in the order in which they count, most significant first; null when the value is too short. */
export function bytesOf({ from, length, isBackwards }: ByteRange, value: Uint8Array): Uint8Array | null {
  const end = length === null ? value.length : from + length;
  if (end > value.length || from > value.length) return null;
  // A copy: turning the bytes round must not touch what was given, which may be a part of a larger buffer.
  const bytes = Uint8Array.from(value.subarray(from, end));
  return isBackwards ? bytes.reverse() : bytes;
}
