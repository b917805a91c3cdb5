import type { Range } from "./plan.ts";

/**
 * What a device has refused to read in one go, so that it is asked only once: places that no request reads across, by
 * unit and table. Kept as long as the connection, since a device that was away may have been changed.
 */
export class RefusedRanges {
  /** grows with everything learned; a plan made before is out of date */
  version = 0;
  readonly #cuts = new Map<string, number[]>();

  cuts(area: string): readonly number[] {
    return this.#cuts.get(area) ?? [];
  }

  /** both sides can be read, not both at once */
  cut(area: string, place: number): void {
    const cuts = this.#cuts.get(area) ?? [];
    if (cuts.includes(place)) return;
    this.#cuts.set(
      area,
      [...cuts, place].toSorted((a, b) => a - b),
    );
    this.version++;
  }

  /** this one cannot be read at all, so nothing is read together with it */
  isolate(area: string, range: Range): void {
    this.cut(area, range.start);
    this.cut(area, range.start + range.length);
  }
}
