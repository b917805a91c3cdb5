import { type Epoch, forEachReading, type ReadingBatch, valueToJson } from "@penstock/model";

/**
 * One accepted batch as fault runs check it, a JSON line: {"e": epoch, "s": first seq, "d": device, "r": [[property, time,
 * value, quality], …]}. Row i has seq s + i.
 */
export function witnessLine(accepted: {
  readonly epoch: Epoch;
  readonly firstSeq: number;
  readonly batch: ReadingBatch;
}): string {
  const rows: unknown[] = [];
  forEachReading(accepted.batch, ({ property, time, value, type, quality }) => {
    rows.push([property, time, valueToJson(type, value), quality]);
  });
  return JSON.stringify({ e: accepted.epoch, s: accepted.firstSeq, d: accepted.batch.layout.device, r: rows });
}
