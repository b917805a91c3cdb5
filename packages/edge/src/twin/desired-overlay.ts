import type { Slot } from "./desired-slot.ts";
import type { Slots } from "./desired-step.ts";

/** The slots as they will be once the append resolves. */
export class SlotOverlay implements Slots {
  readonly changed = new Map<string, Slot>();
  readonly durable = new Set<string>();
  readonly #base: ReadonlyMap<string, Slot>;

  constructor(base: ReadonlyMap<string, Slot>) {
    this.#base = base;
  }

  get(key: string): Slot | undefined {
    return this.changed.get(key) ?? this.#base.get(key);
  }

  keys(): Iterable<string> {
    return new Set([...this.#base.keys(), ...this.changed.keys()]);
  }

  put(slots: ReadonlyMap<string, Slot>, durable: ReadonlySet<string>): void {
    for (const [key, slot] of slots) this.changed.set(key, slot);
    for (const key of durable) this.durable.add(key);
  }
}
