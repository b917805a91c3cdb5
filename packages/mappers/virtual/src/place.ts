import type { Value, ValueType } from "@penstock/model";
import { periodsOf, type Shape, signalAt } from "./signal.ts";
import { numberIn, typed } from "./typed.ts";

/** What has happened to one place of a virtual device. */
export interface PlaceState {
  /** when its signal began, or was last written or reset; microseconds of the driver's clock */
  readonly since: number;
  /** null: nobody has written it */
  readonly written: Value;
}

export interface PlaceView {
  readonly shape: Shape;
  readonly type: ValueType;
  readonly now: number;
  readonly noise: (period: number) => number;
}

/** What a place shows: its signal; once written, what was written; a counter goes on from there. */
export function shownBy({ since, written }: PlaceState, { shape, type, now, noise }: PlaceView): Value {
  if (written === null) return typed(type, signalAt(shape, now - since, noise));
  const base = shape.signal === "counter" ? numberIn(written) : null;
  if (base === null) return written;
  const counted = shape.step * periodsOf(shape, now - since);
  // Beyond 2^53 a float64 no longer counts in ones.
  const sum =
    typeof base === "bigint" && Number.isSafeInteger(counted) ? base + BigInt(counted) : Number(base) + counted;
  return typed(type, sum);
}
