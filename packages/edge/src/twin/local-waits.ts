import type { End, Slot } from "./desired-slot.ts";

/** Who waits for the end of values set at the gateway; bounded by those who ask. Gives each value its version, below 0. */
export class LocalWaits {
  readonly #waits = new Map<number, { readonly key: string; readonly resolve: (end: End) => void }>();
  #version = 0;

  constructor(slots: ReadonlyMap<string, Slot>) {
    for (const { local, localEnd } of slots.values())
      this.#version = Math.min(this.#version, local?.version ?? 0, localEnd?.version ?? 0);
  }

  next(key: string): { readonly version: number; readonly ended: Promise<End> } {
    const version = --this.#version;
    const { promise: ended, resolve } = Promise.withResolvers<End>();
    this.#waits.set(version, { key, resolve });
    return { version, ended };
  }

  forget(version: number): void {
    this.#waits.delete(version);
  }

  /** Tells those whose value has ended. @param changed slots as they are on disk now */
  look(changed: ReadonlyMap<string, Slot>): void {
    for (const [version, { key, resolve }] of this.#waits) {
      const slot = changed.get(key);
      if (slot === undefined || slot.local?.version === version) continue;
      const latest = Math.min(slot.local?.version ?? 0, slot.localEnd?.version ?? 0);
      // It is on its way to the disk.
      if (latest > version) continue;
      this.#waits.delete(version);
      resolve(slot.localEnd?.version === version ? slot.localEnd : replaced(slot, version));
    }
  }
}

/** Later values set here took its place within one append, and the last of them is what the slot remembers. */
function replaced(slot: Slot, version: number): End {
  const { device, property, local, localEnd } = slot;
  const { type } = (local ?? localEnd)!;
  const time = (local?.takenAt ?? localEnd?.time)!;
  return {
    ...{ device, property, version, state: "superseded", reason: "twin/superseded" },
    ...{ message: "Another value was set here", value: null, type, time, takenAt: null, writtenAt: null },
  };
}
