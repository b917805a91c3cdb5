import { type Codec, type Files, type Journal, openJournal, plainCodec } from "@penstock/runtime";
import { emptySlot, type Slot, slotKey } from "./desired-slot.ts";

export type SlotMap = ReadonlyMap<string, Slot>;
/** The slots that one append changes, each whole: applying it twice changes nothing. */
export interface SlotEntry {
  readonly slots: readonly Slot[];
}

const slotList = plainCodec<readonly Slot[]>();
const slotMap: Codec<SlotMap> = {
  encode: (map) => slotList.encode([...map.values()]),
  decode: (bytes) => apply(new Map(), { slots: slotList.decode(bytes) }),
};

function apply(before: SlotMap, entry: SlotEntry): SlotMap {
  const after = new Map(before);
  for (const slot of entry.slots) after.set(slotKey(slot.device, slot.property), complete(slot));
  return after;
}

/** Earlier agents knew nothing of values set at the gateway, nor when a step was made. */
function complete(slot: Slot): Slot {
  const unknown = { takenAt: null, writtenAt: null };
  return {
    ...emptySlot(slot.device, slot.property),
    ...slot,
    active: slot.active === null ? null : { ...unknown, ...slot.active },
    end: slot.end === null ? null : { ...unknown, ...slot.end },
  };
}

/**
 * Desired values on disk. A snapshot holds one slot per property that was ever set: its highest version, how that ended,
 * and the reports that the cloud has not taken; all that came before is gone with the log.
 */
export function openDesiredJournal(options: {
  readonly files: Files;
  readonly folder: string;
}): Promise<Journal<SlotMap, SlotEntry>> {
  return openJournal({ ...options, initial: new Map(), apply, stateCodec: slotMap });
}
