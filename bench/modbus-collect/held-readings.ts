import { flagGood } from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { decodeBatchBody } from "@penstock/wire";
import { openOutbox } from "../../packages/edge/src/outbox/outbox.ts";

/** Readings of good quality in an outbox whose agent has ended, by their own time: from ≤ time < until, microseconds. */
export async function heldReadings(folder: string, from: number, until: number): Promise<number> {
  const outbox = await openOutbox({
    ...{ files: realFiles(), clock: systemClock(), random: systemRandom, log: silentLog, metrics: metricsRegistry() },
    ...{ folder, bounds: { bytes: 4 * 1024 ** 3, ageMs: 86_400_000 * 30 }, policy: "refuse" },
  });
  try {
    const { lowest, highest } = outbox.bounds();
    let good = 0;
    for (let next = lowest; next <= highest; ) {
      const entries = await outbox.read(next, 4 * 1024 ** 2);
      for (const { firstSeq, count, layout, body } of entries) {
        next = firstSeq + count;
        const { baseTime, offsets, flags } = decodeBatchBody(layout, body);
        for (let row = 0; row < count; row++) {
          const time = baseTime + (offsets?.[row] ?? 0);
          if (time >= from && time < until && (flags === null || flags[row] === flagGood)) good++;
        }
      }
      if (entries.length === 0) break;
    }
    return good;
  } finally {
    await outbox.close();
  }
}
