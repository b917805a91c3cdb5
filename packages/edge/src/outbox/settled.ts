import { addRange, missingFrom, type Ranges } from "@penstock/model";
import type { RecoveredSeqs } from "./next-seq.ts";

/** For the first epoch of an outbox: nothing is settled, unless entries or cursors of an epoch that is forgotten are there. */
export function settledAtFirst(recovered: RecoveredSeqs): Ranges | null {
  return recovered.highestEntry === 0 && recovered.promised <= 1 && recovered.passed === 0 ? [] : null;
}

/**
 * For an epoch that the cloud orders: what it held or recorded as lost under the ones before. Above `recovered` its
 * numbers are of readings that this disk has lost and numbered anew.
 */
export function settledByOrder(options: { before: Ranges | null; held: Ranges; recovered: number }): {
  readonly settled: Ranges | null;
  readonly passed: Ranges;
} {
  const { before, recovered } = options;
  const within = (ranges: Ranges) => missingFrom(missingFrom(ranges, 1, recovered), 1, recovered);
  const passed = within(options.held);
  const settled = before && passed.reduce((all, [from, to]) => addRange(all, from, to), within(before));
  return { settled, passed };
}
