import type { Layout } from "@penstock/model";
import { decodeLayout, encodeLayout } from "@penstock/wire";

/**
 * Payloads of an outbox segment, by their first byte:
 *
 *   1 head    JSON {version, firstSeq, nextLayout}; the first record of each segment
 *   2 layout  `encodeLayout`; before the first batch of the segment that uses it
 *   3 batch   u8 1 for the first of its group else 0, 2 bytes 0, count u32, layout id u32, firstSeq f64, accepted-at f64 (µs since 1970, 0 = not known),
 *             all little-endian, then `encodeBatchBody`
 */
const headKind = 1;
const layoutKind = 2;
const batchKind = 3;
const batchHeadBytes = 28;

export interface SegmentHead {
  readonly version: 1;
  /** entries of earlier segments from this seq on do not count: their sync failed and they were written again here */
  readonly firstSeq: number;
  /** layout ids below this may be taken */
  readonly nextLayout: number;
}
export interface BatchRecord {
  readonly kind: "batch";
  /** it was written after the sync of all that stands before it in the file had succeeded */
  readonly startsGroup: boolean;
  readonly firstSeq: number;
  readonly count: number;
  readonly layout: number;
  /** wall time in microseconds; 0 when the clock was not trusted */
  readonly acceptedAt: number;
  readonly body: Uint8Array;
}
export type OutboxRecord =
  | { readonly kind: "head"; readonly head: SegmentHead }
  | { readonly kind: "layout"; readonly layout: Layout }
  | BatchRecord
  /** of a later version; passed over */
  | { readonly kind: "other" };

export function encodeHead(head: SegmentHead): Uint8Array[] {
  return [Uint8Array.of(headKind), new TextEncoder().encode(JSON.stringify(head))];
}

export function encodeLayoutRecord(layout: Layout): Uint8Array[] {
  return [Uint8Array.of(layoutKind), encodeLayout(layout)];
}

export function encodeBatchRecord(record: Omit<BatchRecord, "kind">): Uint8Array[] {
  const head = new Uint8Array(batchHeadBytes);
  const view = new DataView(head.buffer);
  head[0] = batchKind;
  head[1] = record.startsGroup ? 1 : 0;
  view.setUint32(4, record.count, true);
  view.setUint32(8, record.layout, true);
  view.setFloat64(12, record.firstSeq, true);
  view.setFloat64(20, record.acceptedAt, true);
  return [head, record.body];
}

/** The checksum has been verified: a payload that does not decode was written by another program and throws. */
export function decodeRecord(payload: Uint8Array): OutboxRecord {
  switch (payload[0]) {
    case headKind: {
      const head = JSON.parse(new TextDecoder().decode(payload.subarray(1))) as SegmentHead;
      return { kind: "head", head };
    }
    case layoutKind:
      return { kind: "layout", layout: decodeLayout(payload.subarray(1)) };
    case batchKind: {
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
      return {
        kind: "batch",
        startsGroup: payload[1] === 1,
        count: view.getUint32(4, true),
        layout: view.getUint32(8, true),
        firstSeq: view.getFloat64(12, true),
        acceptedAt: view.getFloat64(20, true),
        body: payload.subarray(batchHeadBytes),
      };
    }
    default:
      return { kind: "other" };
  }
}
