import type { ErrorCode, Range } from "@penstock/model";
import type { ItemAddress } from "./areas.ts";

/** How long a refusal is believed before one point of the area is asked again: a data block may be loaded meanwhile. */
const believedMicros = 30_000_000;

interface AreaState {
  readonly cuts: Set<number>;
  readonly refused: Map<string, ErrorCode>;
  retryAt: number;
}

/**
 * What a PLC has refused: those points are not asked for in each cycle, and no read goes across them again, so that one
 * wrong address costs its neighbours nothing. Once one of them is answered, its whole area is learned anew.
 */
export class RefusedPlaces {
  /** grows when reads are to be planned anew */
  version = 0;
  readonly #areas = new Map<string, AreaState>();

  refuse(at: ItemAddress, range: Range, code: ErrorCode, now: number): void {
    const state = this.#stateOf(at);
    state.retryAt = now + believedMicros;
    const key = keyOf(range);
    if (state.refused.get(key) === code) return;
    state.refused.set(key, code);
    // Neither does any read go across its place.
    state.cuts.add(range.start);
    this.version++;
  }

  cut(at: ItemAddress, place: number): void {
    const { cuts } = this.#stateOf(at);
    if (cuts.has(place)) return;
    cuts.add(place);
    this.version++;
  }

  codeOf(at: ItemAddress, range: Range): ErrorCode | null {
    return this.#areas.get(areaKey(at))?.refused.get(keyOf(range)) ?? null;
  }

  /** Whether a refused point of the area is asked again now; true once until it has been refused again, or time has passed. */
  mayRetry(at: ItemAddress, now: number): boolean {
    const state = this.#stateOf(at);
    if (now < state.retryAt) return false;
    state.retryAt = now + believedMicros;
    return true;
  }

  cutsOf(at: ItemAddress): readonly number[] {
    return [...(this.#areas.get(areaKey(at))?.cuts ?? [])].sort((a, b) => a - b);
  }

  restore(at: ItemAddress): void {
    if (this.#areas.delete(areaKey(at))) this.version++;
  }

  #stateOf(at: ItemAddress): AreaState {
    const key = areaKey(at);
    let state = this.#areas.get(key);
    if (state === undefined) {
      state = { cuts: new Set(), refused: new Map(), retryAt: 0 };
      this.#areas.set(key, state);
    }
    return state;
  }
}

export function areaKey({ area, db }: Pick<ItemAddress, "area" | "db">): string {
  return `${area.code}/${db}`;
}
function keyOf({ start, length }: Range): string {
  return `${start}+${length}`;
}
