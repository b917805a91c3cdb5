import type { Saved } from "../value/saved.ts";
import type { Value } from "../value/value.ts";
import type { Row } from "./frame.ts";

export type RowOf = (saved: Saved) => Row;

export function saveRow({ at, source, values }: Row): Saved {
  return [at, source, values];
}

export function saveRows(rows: readonly Row[]): Saved {
  return rows.map(saveRow);
}

export function rowsOf(saved: Saved, rowOf: RowOf): Row[] {
  return (saved as readonly Saved[]).map(rowOf);
}

/**
 * How kept rows become rows of a plan whose values stand elsewhere.
 *
 * @param kept fingerprints of the values of a kept row, in their places
 * @param wanted those of the plan
 * @returns null where a value is wanted that was not kept
 */
export function rowReaderFor(kept: readonly string[], wanted: readonly string[]): RowOf | null {
  const places = wanted.map((one) => kept.indexOf(one));
  if (places.includes(-1)) return null;
  const isSame = places.length === kept.length && places.every((place, at) => place === at);
  return (saved) => {
    const [at, source, values] = saved as unknown as readonly [number, number, readonly Value[]];
    return { at, source, values: isSame ? values : places.map((place) => values[place]!) };
  };
}
