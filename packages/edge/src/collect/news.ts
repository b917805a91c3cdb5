import { AppError, batchFromSamples, type Layout, type Micros, type ReadingBatch, readingsOf } from "@penstock/model";
import { decodeBatchBody } from "@penstock/wire";
import { onTheWall, type WallOf } from "./results.ts";

/** A device's own clock may be ahead of ours by so much. */
const aheadUs = 60_000_000;
/** Nothing was dated before 1 January 2000. */
const earliest = 946_684_800_000_000;
/** Beyond this a mapper's times are not those of its changes. */
const slackUs = 1_000_000;

/**
 * Changes that a device has told by itself, as a batch. Monotonic times become wall time. The device's own times stay, so
 * that what its queue held during a cut keeps its place; one that cannot be is replaced by the time of arrival, and the
 * reading is uncertain.
 *
 * @param options.since when it was subscribed to, `options.now` when the changes came; monotonic microseconds
 * @throws AppError mapper/bad-answer when the body is not one of this layout and time
 */
export function batchFromNews(options: {
  readonly layout: Layout;
  readonly body: Uint8Array;
  readonly isWall: boolean;
  readonly since: number;
  readonly now: number;
  readonly wallOf: WallOf;
}): ReadingBatch {
  const { layout, body, isWall, since, now, wallOf } = options;
  let batch: ReadingBatch;
  try {
    batch = decodeBatchBody(layout, body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("mapper/bad-answer", `Cannot use the mapper's news: ${why}`, { cause });
  }
  if (isWall) return dated(batch, wallOf(now));
  for (const offset of batch.offsets ?? [0]) {
    const time = batch.baseTime + offset;
    if (time < since - slackUs || time > now + slackUs) {
      const text = `Cannot use the mapper's news: time ${time}, want one in ${since}..${now} us`;
      throw new AppError("mapper/bad-answer", text);
    }
  }
  return onTheWall(batch, wallOf);
}

function dated(batch: ReadingBatch, { time: now, uncertain }: ReturnType<WallOf>): ReadingBatch {
  // While our own clock is not set, nothing can be said against the device's.
  const latest = uncertain === null ? now + aheadUs : Number.POSITIVE_INFINITY;
  const isOff = (time: number) => time < earliest || time > latest;
  if (![...(batch.offsets ?? [0])].some((offset) => isOff(batch.baseTime + offset))) return batch;
  const samples = readingsOf(batch).map(({ property, time, value, quality, reason }) => {
    if (!isOff(time)) return { property, time, value, quality, reason };
    const judged =
      quality === "good" ? ({ quality: "uncertain", reason: "mapper/bad-time" } as const) : { quality, reason };
    return { property, time: now as Micros, value, ...judged };
  });
  return batchFromSamples({ layout: batch.layout, samples }).batch;
}
