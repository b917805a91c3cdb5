import {
  type BootId,
  codeOf,
  flagUncertain,
  type Layout,
  type Micros,
  qualityMask,
  type ReadingBatch,
} from "@penstock/model";
import { decodeBatchBody, encodeBatchBody } from "@penstock/wire";

/** How the boot's monotonic clock relates to the cloud's time; fixed at the first welcome of a boot. */
export interface BootOffset {
  readonly boot: BootId;
  /** wall microseconds − monotonic microseconds */
  readonly offset: number;
}

/**
 * Corrects readings that were taken before this boot knew the time, once: times are shifted, and where the clock was the
 * only doubt the quality is good again. Bodies of another boot, or with no doubt about the time, come back as they are.
 */
export function correctTime(options: { layout: Layout; body: Uint8Array; boot: BootOffset | null }): Uint8Array {
  const { layout, body, boot } = options;
  if (boot === null || !mayHaveClock(body)) return body;
  const batch = decoded(layout, body);
  if (batch === null || batch.clock === null || batch.clock.boot !== boot.boot) return body;
  return encodeBatchBody(withTime(batch, (batch.clock.monotonic + boot.offset) as Micros));
}

/** A body that cannot be decoded here goes up as it is: the cloud says what is wrong with it. */
function decoded(layout: Layout, body: Uint8Array): ReadingBatch | null {
  try {
    return decodeBatchBody(layout, body);
  } catch (error) {
    if (codeOf(error) === "link/bad-frame") return null;
    throw error;
  }
}

function withTime(batch: ReadingBatch, baseTime: Micros): ReadingBatch {
  const doubt = batch.reasons.indexOf("clock/not-set") + 1;
  if (doubt === 0) return { ...batch, baseTime, clock: null };
  const flags = batch.flags?.slice() ?? null;
  const reasonIndex = batch.reasonIndex?.slice() ?? null;
  for (let row = 0; row < batch.count; row++) {
    if (reasonIndex === null || reasonIndex[row] !== doubt) continue;
    reasonIndex[row] = 0;
    if (flags !== null && (flags[row]! & qualityMask) === flagUncertain) flags[row] = flags[row]! & ~qualityMask;
  }
  const isDoubted = reasonIndex?.some((reason) => reason !== 0) ?? false;
  return {
    ...batch,
    baseTime,
    clock: null,
    flags: flags?.some((flag) => flag !== 0) === true ? flags : null,
    reasonIndex: isDoubted ? reasonIndex : null,
    reasons: isDoubted ? batch.reasons : [],
  };
}

/**
 * A body ends with its clock: nil, or [boot, monotonic]. Looking at the end spares decoding every body; a wrong yes costs
 * one decoding, a wrong no cannot be: both shapes of the end are compared.
 */
function mayHaveClock(body: Uint8Array): boolean {
  const length = body.length;
  if (body[length - 1] !== 0xc0) return true;
  // 0x92 array of two, 0xd9 0x20 text of 32 bytes, then a number of 1 to 9 bytes that may itself end in 0xc0
  for (const size of [1, 2, 3, 5, 9]) {
    const at = length - size - 35;
    if (body[at] === 0x92 && body[at + 1] === 0xd9 && body[at + 2] === 0x20) return true;
  }
  return false;
}
