import { DaySlots } from "@penstock/model";
import type { Cancel, Clock } from "@penstock/runtime";
import type { WallOf } from "./results.ts";

/** How long a clock that was set may go unnoticed. */
const lookEveryMs = 10_000;

/**
 * Tells groups with times of day when they are due. Nothing is due while the gateway's clock cannot be believed, and what
 * should have been then is not made up for; see `DaySlots` for clocks that are set. After a start, or a change of the time
 * zone, the first look counts: times before it do not come. Groups with the same times share one list of them.
 */
export class DayClock {
  readonly #clock: Clock;
  readonly #wallOf: WallOf;
  readonly #onDue: (group: number) => void;
  readonly #lists = new Map<string, { readonly atSeconds: readonly number[]; slots: DaySlots; groups: Set<number> }>();
  #timeZone = "UTC";
  #cancel: Cancel = () => {};

  constructor(options: {
    readonly clock: Clock;
    readonly wallOf: WallOf;
    readonly onDue: (group: number) => void;
  }) {
    this.#clock = options.clock;
    this.#wallOf = options.wallOf;
    this.#onDue = options.onDue;
  }

  setTimeZone(timeZone: string): void {
    if (timeZone === this.#timeZone) return;
    this.#timeZone = timeZone;
    for (const list of this.#lists.values()) list.slots = new DaySlots({ atSeconds: list.atSeconds, timeZone });
    this.#look();
  }

  add(group: number, atSeconds: readonly number[]): void {
    const key = atSeconds.join();
    const known = this.#lists.get(key);
    if (known !== undefined) known.groups.add(group);
    else {
      const slots = new DaySlots({ atSeconds, timeZone: this.#timeZone });
      this.#lists.set(key, { atSeconds, slots, groups: new Set([group]) });
      this.#look();
    }
  }

  remove(group: number): void {
    for (const { groups } of this.#lists.values()) groups.delete(group);
  }

  close(): void {
    this.#cancel();
    this.#lists.clear();
  }

  #look(): void {
    this.#cancel();
    // Only here: a device that is edited leaves its list and comes back, and must not lose the time that is just now.
    for (const [key, { groups }] of this.#lists) if (groups.size === 0) this.#lists.delete(key);
    if (this.#lists.size === 0) return;
    const { time, uncertain } = this.#wallOf(this.#clock.monotonic());
    let waitMs = lookEveryMs;
    const due: number[] = [];
    for (const { slots, groups } of uncertain === null ? this.#lists.values() : []) {
      if (slots.look(time)) due.push(...groups);
      waitMs = Math.min(waitMs, Math.ceil((slots.nextAt - time) / 1000));
    }
    this.#cancel = this.#clock.after(Math.max(1, waitMs), () => this.#look());
    for (const group of due) this.#onDue(group);
  }
}
