import { type Column, type ReadingBatch, valueTypes } from "@penstock/model";

/** Rows from..to-1 of a batch as a batch of its own; row r of it is row from + r of the other. */
export function sliceBatch(batch: ReadingBatch, from: number, to: number): ReadingBatch {
  const { layout } = batch;
  const before = new Array<number>(valueTypes.length).fill(0);
  const within = new Array<number>(valueTypes.length).fill(0);
  for (let row = 0; row < to; row++) {
    const rank = valueTypes.indexOf(layout.properties[batch.index?.[row] ?? row]!.type);
    const counts = row < from ? before : within;
    counts[rank] = counts[rank]! + 1;
  }
  return {
    ...batch,
    count: to - from,
    index: batch.index?.slice(from, to) ?? Uint16Array.from({ length: to - from }, (_, row) => from + row),
    offsets: batch.offsets?.slice(from, to) ?? null,
    flags: batch.flags?.slice(from, to) ?? null,
    reasonIndex: batch.reasonIndex?.slice(from, to) ?? null,
    columns: batch.columns.map((column, rank): Column | undefined =>
      within[rank] === 0 ? undefined : column?.slice(before[rank]!, before[rank]! + within[rank]!),
    ),
  };
}
