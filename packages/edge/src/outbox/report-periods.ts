import { DaySlots, type Micros } from "@penstock/model";

/** Numbers the periods between times of day; properties with the same times share one count. Bound: one entry a list of times. */
export class ReportPeriods {
  readonly #known = new Map<string, { readonly slots: DaySlots; count: number }>();

  /** @param wall null while the clock cannot be believed: the period then stays what it was */
  numberOf(atSeconds: readonly number[], timeZone: string, wall: Micros | null): number {
    const key = `${timeZone} ${atSeconds.join()}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = { slots: new DaySlots({ atSeconds, timeZone }), count: 0 };
      this.#known.set(key, known);
    }
    if (wall !== null && known.slots.look(wall)) known.count++;
    return known.count;
  }
}
