import type { Range } from "@penstock/model";

/** How long an address that a device refuses is left alone, doubled up to the longest each time it is refused again. */
const firstRetryUs = 60_000_000;
const longestRetryUs = 3_600_000_000;

/** A range that a device refuses to read, whole and by itself. */
interface Refused extends Range {
  waitUs: number;
  /** monotonic microseconds */
  retryAt: number;
}
interface Area {
  /** both sides can be read, not both at once: what lies there is missing, or the device splits its memory there */
  readonly cuts: Set<number>;
  /** by "start+length" */
  readonly refused: Map<string, Refused>;
}

/**
 * What a device has refused to read, by unit and table: places that no request reads across, and ranges that are not
 * asked for until it is time to try again, since a device may gain what it lacks. Kept as long as the line, since a
 * device that was away may have been changed.
 */
export class RefusedRanges {
  /** grows with everything learned; a plan made before is out of date */
  version = 0;
  readonly #areas = new Map<string, Area>();

  /** nothing has been refused yet, which spares a look-up for each answer */
  get isEmpty(): boolean {
    return this.#areas.size === 0;
  }

  /** ascending; those around refused ranges included */
  cuts(area: string): readonly number[] {
    const known = this.#areas.get(area);
    if (known === undefined) return [];
    const around = [...known.refused.values()].flatMap(({ start, length }) => [start, start + length]);
    return [...new Set([...known.cuts, ...around])].sort((a, b) => a - b);
  }

  /** both sides can be read, not both at once */
  cut(area: string, place: number): void {
    const { cuts } = this.#area(area);
    if (cuts.has(place)) return;
    cuts.add(place);
    this.version++;
  }

  /** this one cannot be read at all, so nothing is read together with it */
  refuse(area: string, range: Range, now: number): void {
    const { refused } = this.#area(area);
    const known = refused.get(keyOf(range));
    if (known !== undefined) {
      known.waitUs = Math.min(known.waitUs * 2, longestRetryUs);
      known.retryAt = now + known.waitUs;
      return;
    }
    const { start, length } = range;
    refused.set(keyOf(range), { start, length, waitUs: firstRetryUs, retryAt: now + firstRetryUs });
    this.version++;
  }

  /** null when it is not refused, as far as is known; otherwise whether it is time to ask again */
  stateOf(area: string, range: Range, now: number): "wait" | "retry" | null {
    const known = this.#areas.get(area)?.refused.get(keyOf(range));
    if (known === undefined) return null;
    return now < known.retryAt ? "wait" : "retry";
  }

  /** it has been read after all */
  restore(area: string, range: Range): void {
    if (this.#areas.get(area)?.refused.delete(keyOf(range)) === true) this.version++;
  }

  #area(area: string): Area {
    let known = this.#areas.get(area);
    if (known === undefined) {
      known = { cuts: new Set(), refused: new Map() };
      this.#areas.set(area, known);
    }
    return known;
  }
}

function keyOf({ start, length }: Range): string {
  return `${start}+${length}`;
}
