import { type Column, emptyColumn, type ReadingBatch, valueTypes } from "@penstock/model";

const rankOf = new Map(valueTypes.map((type, rank) => [type, rank]));

/** Position in `valueTypes`, that is the column, of each property of a layout. */
export function ranksOf({ layout }: Pick<ReadingBatch, "layout">): Uint8Array {
  return Uint8Array.from(layout.properties, ({ type }) => rankOf.get(type)!);
}

/**
 * Some rows of a batch as a batch of their own.
 *
 * @param keep per row: 1 = taken
 * @param kept how many are taken, 1..count
 */
export function takeRows(batch: ReadingBatch, keep: Uint8Array, kept: number): ReadingBatch {
  const { layout, index: from } = batch;
  const ranks = ranksOf(batch);
  const seen = new Array<number>(valueTypes.length).fill(0);
  const places = valueTypes.map((): number[] => []);
  const index = new Uint16Array(kept);
  const offsets = batch.offsets === null ? null : new Int32Array(kept);
  const flags = batch.flags === null ? null : new Uint8Array(kept);
  const reasonIndex = batch.reasonIndex === null ? null : new Uint8Array(kept);
  let to = 0;
  for (let row = 0; row < batch.count; row++) {
    const property = from?.[row] ?? row;
    const rank = ranks[property]!;
    const place = seen[rank]!;
    seen[rank] = place + 1;
    if (keep[row] !== 1) continue;
    places[rank]!.push(place);
    index[to] = property;
    if (offsets !== null) offsets[to] = batch.offsets![row]!;
    if (flags !== null) flags[to] = batch.flags![row]!;
    if (reasonIndex !== null) reasonIndex[to] = batch.reasonIndex![row]!;
    to++;
  }
  const columns = batch.columns.map((column, rank) =>
    column === undefined || places[rank]!.length === 0 ? undefined : cells(column, rank, places[rank]!),
  );
  const isWhole = kept === layout.properties.length;
  return { ...batch, count: kept, index: isWhole ? null : index, offsets, flags, reasonIndex, columns };
}

function cells(column: Column, rank: number, places: readonly number[]): Column {
  const taken = emptyColumn(valueTypes[rank]!, places.length);
  // Both columns are of one type, so what is read from the one fits into the other.
  const to = taken as unknown as unknown[];
  for (const [i, place] of places.entries()) to[i] = column[place];
  return taken;
}
