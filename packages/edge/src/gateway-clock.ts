import type { BootId, Micros } from "@penstock/model";
import type { Clock, SystemClock } from "@penstock/runtime";

/** Wall time of a monotonic moment; `uncertain` names the boot whose offset is not known yet. */
export interface WallTime {
  readonly time: Micros;
  readonly uncertain: BootId | null;
}
export interface GatewayClock extends Clock {
  wallOf(monotonic: number): WallTime;
  isTrusted(): boolean;
  /**
   * the cloud's time, once: later ones change nothing, so that readings are corrected once and time never jumps back.
   * `offset` is wall − monotonic microseconds, the same by which the link corrects what was read before
   */
  learn(time: { readonly offset: number }): void;
}

/**
 * The gateway's time. While the machine's clock is plausible it is believed. A machine that woke up before the floor
 * (the build date or the last time on disk) is not: its readings are uncertain until the cloud has told the time, and
 * from then on the cloud's time counts, until somebody sets the machine's clock.
 */
export function gatewayClock(options: { readonly system: SystemClock; readonly boot: BootId }): GatewayClock {
  const { system, boot } = options;
  let offset: number | null = null;
  const wallOf = (monotonic: number): WallTime => {
    if (!system.isPlausible() && offset !== null) return { time: (monotonic + offset) as Micros, uncertain: null };
    const time = (system.now() + (monotonic - system.monotonic())) as Micros;
    return { time, uncertain: system.isPlausible() ? null : boot };
  };
  return {
    wallOf,
    now: () => wallOf(system.monotonic()).time,
    monotonic: system.monotonic,
    after: system.after,
    isTrusted: () => system.isPlausible() || offset !== null,
    learn(time) {
      offset ??= time.offset;
    },
  };
}
