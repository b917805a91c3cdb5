import type { CacheKey } from "../cache/result-cache.ts";
import type { BatchedRow, Bundle } from "./batching.ts";
import type { Parcel, ParcelRow } from "./courier.ts";
import { sizeOf } from "./size-of.ts";

/** A parcel on its way. */
export interface Shipment extends Parcel {
  readonly rows: readonly (ParcelRow & Partial<Pick<BatchedRow, "take">>)[];
  /** in memory, about */
  readonly bytes: number;
  tries: number;
  /** where it is on the disk; null: in memory alone */
  key: CacheKey | null;
}

export function shipmentOf(bundle: Bundle): Shipment {
  return { ...bundle, tries: 0, key: null, bytes: bundle.rows.reduce((sum, { row }) => sum + sizeOf(row), 0) };
}

/** What waits in memory, the oldest first. */
export class Waiting {
  #shipments: Shipment[] = [];
  bytes = 0;

  get count(): number {
    return this.#shipments.length;
  }
  get rows(): number {
    return this.#shipments.reduce((sum, { rows }) => sum + rows.length, 0);
  }
  push(shipment: Shipment): void {
    this.#shipments.push(shipment);
    this.bytes += shipment.bytes;
  }
  /** back where they were */
  putBack(shipments: readonly Shipment[]): void {
    this.#shipments = [...shipments, ...this.#shipments];
    this.bytes += shipments.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  shift(): Shipment | undefined {
    const first = this.#shipments.shift();
    this.bytes -= first?.bytes ?? 0;
    return first;
  }
  takeAll(): Shipment[] {
    const all = this.#shipments;
    this.#shipments = [];
    this.bytes = 0;
    return all;
  }
}
