/**
 * What is known of the way from the cloud: where the zero of the cloud's stamps lies on our monotonic clock. Pure; all in
 * microseconds. Every stamp bounds it from above, since nothing comes before it was made; an answer also from below,
 * since nothing is answered before it was asked. Two buckets, so that drift between the clocks does not add up.
 */
export interface Transit {
  /** when the present bucket began */
  readonly since: number;
  readonly present: Bounds;
  readonly before: Bounds;
}
interface Bounds {
  /** −Infinity: nothing was asked and answered */
  readonly earliest: number;
  /** +Infinity: nothing came */
  readonly latest: number;
}

/** A message with a stamp. */
export interface Stamped {
  /** microseconds of the cloud's monotonic clock since the session began there */
  readonly stamp: number;
  /** our monotonic clock as it came */
  readonly now: number;
}

/**
 * So much of the way may stay uncounted, where even the fastest message took that long. It leaves room for how long our
 * question was on its way up, which nobody can tell from how long its answer came down.
 */
export const uncountedMicros = 1_000_000;
/** 200 ppm, twice what two poor crystals differ by, make 48 ms of two buckets. */
export const bucketMicros = 120_000_000;
/** Bounds that contradict each other by more than drift makes: one of the machines slept, its clock with it. */
const contradictionMicros = 100_000;

const nothing: Bounds = { earliest: Number.NEGATIVE_INFINITY, latest: Number.POSITIVE_INFINITY };

/** @param answered when we asked, and the stamp at which the cloud heard it; null where the message is no answer */
export function learnTransit(
  transit: Transit | null,
  { stamp, now }: Stamped,
  answered: { readonly askedAt: number; readonly heardStamp: number } | null,
): Transit {
  const found: Bounds = {
    earliest: answered === null ? nothing.earliest : answered.askedAt - answered.heardStamp,
    latest: now - stamp,
  };
  const anew: Transit = { since: now, present: found, before: nothing };
  if (transit === null) return anew;
  const { earliest, latest } = known(transit);
  if (found.latest < earliest - contradictionMicros || found.earliest > latest + contradictionMicros) return anew;
  const { since, present, before } = transit;
  if (now - since < bucketMicros) return { since, present: tighter(present, found), before };
  // However old the bucket is: after a pause of ours the first message says how late it is only by what was known before.
  const earliestBefore = Number.isFinite(present.earliest) ? present.earliest : before.earliest;
  return { since: now, present: found, before: { ...present, earliest: earliestBefore } };
}

/**
 * How long a message was on its way, from its stamp to now: at least the real time less the shortest way seen and less
 * `uncountedMicros`; at most the real time, unless every question of ours took longer than `uncountedMicros` to get up,
 * and then by no more than that. Drift within two buckets comes to both. Never below 0.
 *
 * @param transit after it has learned of this very message
 */
export function onTheWay(transit: Transit, { stamp, now }: Stamped): number {
  const { earliest, latest } = known(transit);
  const zero = Number.isFinite(earliest) ? Math.min(latest, earliest + uncountedMicros) : latest;
  return Math.max(0, now - stamp - zero);
}

/** The bounds lie so far apart that asking again is worth a ping. */
export function isVague(transit: Transit): boolean {
  const { earliest, latest } = known(transit);
  return latest - earliest > uncountedMicros;
}

function known({ present, before }: Transit): Bounds {
  return tighter(present, before);
}

function tighter(one: Bounds, other: Bounds): Bounds {
  return { earliest: Math.max(one.earliest, other.earliest), latest: Math.min(one.latest, other.latest) };
}
