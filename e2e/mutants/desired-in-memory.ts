/** Takes the place of packages/edge/src/twin/desired-journal.ts: what was taken is acknowledged and on no disk. */
import type { Journal } from "@penstock/runtime";
import { type Slot, slotKey } from "../../packages/edge/src/twin/desired-slot.ts";

export type SlotMap = ReadonlyMap<string, Slot>;
export interface SlotEntry {
  readonly slots: readonly Slot[];
}

export async function openDesiredJournal(): Promise<Journal<SlotMap, SlotEntry>> {
  let state: SlotMap = new Map();
  return {
    get state() {
      return state;
    },
    async append({ slots }) {
      state = new Map([...state, ...slots.map((slot) => [slotKey(slot.device, slot.property), slot] as const)]);
    },
    async close() {},
  };
}
