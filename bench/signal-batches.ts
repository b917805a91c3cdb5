import type { Micros, ReadingBatch } from "@penstock/model";
import { plantSignals } from "@penstock/testkit";

/**
 * Some ticks of plant-signals kept in memory and played again and again with their times moved on, so that making values
 * costs the measured pipeline nothing. Values repeat after `ticks`; times never do.
 */
export interface RecordedSignals {
  /** batches of tick `n`, n from 0 without end */
  tick(n: number): readonly ReadingBatch[];
}

export function recordSignals(options: {
  readonly series: number;
  readonly propertiesPerDevice: number;
  readonly seed: number;
  readonly ticks: number;
  readonly everyMs?: number;
}): RecordedSignals {
  const { ticks, everyMs = 1000 } = options;
  const recorded: (readonly ReadingBatch[])[] = [];
  for (const { batches } of plantSignals(options)) {
    recorded.push(batches);
    if (recorded.length === ticks) break;
  }
  return {
    tick(n) {
      const moved = Math.floor(n / ticks) * ticks * everyMs * 1000;
      return recorded[n % ticks]!.map((batch) => ({ ...batch, baseTime: (batch.baseTime + moved) as Micros }));
    },
  };
}
