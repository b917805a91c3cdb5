import type { Reason } from "./desired-report.ts";
import { type Active, type Life, lifeNow, lifeOf, type Slot, type Times } from "./desired-slot.ts";

const timeLost: Reason = {
  code: "clock/not-set",
  message: "the machine was without power, and its clock does not say for how long",
};

/** What is known of the wall clock as the process starts. */
interface WallClock {
  /** it has been set since the machine had power */
  readonly isTrusted: boolean;
}

/**
 * The slot as the process goes on with it. Whether the last write arrived is not known, so it is made again: a desired
 * value is a state. How old it is must be known: too early an end is reported and can be set again, too late a write moves
 * a machine nobody expects to move. A hold keeps the cloud away from somebody's work, so in doubt it lasts.
 */
export function slotAfterRestart(slot: Slot, times: Times, clock: WallClock): Slot {
  const again = (active: Active | null): Active | null => {
    if (active === null) return null;
    const life = lifeAfterRestart(active.life, times, clock);
    const onward = { ...active, next: "write", waitUntil: 0 } as const;
    return life === null ? { ...onward, life: lifeOf(0, times), trouble: timeLost } : { ...onward, life };
  };
  const { hold } = slot;
  const held = (life: Life) => lifeAfterRestart(life, times, clock) ?? lifeOf(life.leftMs, times);
  return {
    ...slot,
    busy: false,
    active: again(slot.active),
    local: again(slot.local),
    hold: hold && { ...hold, life: hold.life && held(hold.life) },
  };
}

/**
 * What is left after a restart of the process: within one boot of the machine the monotonic clock says it; after a loss
 * of power the wall clock does, if it is trusted and not earlier than what was journaled, and never more than was left.
 *
 * @returns null when nothing says how long the machine was off
 */
function lifeAfterRestart(life: Life, times: Times, clock: WallClock): Life | null {
  // A monotonic clock below the journaled one has begun anew, whatever the system says of its boots.
  if (life.boot === times.boot && times.now >= life.journaledAt) return lifeNow(life, times);
  const journaledTime = life.wallDeadline - life.leftMs * 1000;
  if (!clock.isTrusted || times.time < journaledTime) return null;
  return lifeOf(Math.max(0, Math.min(life.leftMs, (life.wallDeadline - times.time) / 1000)), times);
}
