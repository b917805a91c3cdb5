import type { Micros } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";

/** Rows that go to one address together. */
export interface Parcel {
  readonly address: string;
  /** never empty */
  readonly rows: readonly ParcelRow[];
  /** the peer hears one array even of a single row */
  readonly isList: boolean;
}
export interface ParcelRow {
  readonly row: ObjectValue;
  /** when the result was computed */
  readonly time: Micros;
}
/** A row that the peer will never take, and why. */
export interface Refusal {
  /** place in the parcel */
  readonly at: number;
  readonly reason: string;
}

/** Speaks to one kind of peer. It is asked for one parcel after the other, and decides nothing about when or how often. */
export interface Courier {
  /** rows go together without being asked to: the peer has a word for many */
  readonly takesMany: boolean;
  /** where the row goes; parcels are of one address. @throws AppError rules/sink-refused when the row does not say it */
  addressOf(row: ObjectValue): string;
  /**
   * Resolves when the peer has the parcel, all but the refused rows. A parcel may come again after a failure: what had
   * arrived of it then arrives twice.
   *
   * @throws AppError rules/sink-refused: none of it will ever be taken; rules/sink-unreachable: try again
   */
  send(parcel: Parcel, signal: AbortSignal): Promise<readonly Refusal[]>;
  /** resolves when nothing is in flight; not called while `send` runs */
  close(): Promise<void>;
}

export const noRefusals: readonly Refusal[] = [];
