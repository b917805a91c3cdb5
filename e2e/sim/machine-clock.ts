import type { Micros } from "@penstock/model";
import type { SystemClock } from "@penstock/runtime";
import type { SimProcess, SimScheduler } from "@penstock/testkit";

/** The clocks of one simulated machine: a wall clock that people set, a monotonic one that begins anew with each boot. */
export class MachineClock {
  readonly #scheduler: SimScheduler;
  #offset = 0;
  #bootedAt = 0;
  /** which boot this is, as `machineBoot` of runtime says it */
  boot = 1;
  /** people have set it, or it began where the chip does: it says nothing of how long the power was off */
  isDoubtful = false;

  constructor(scheduler: SimScheduler) {
    this.#scheduler = scheduler;
  }

  wall(): number {
    return this.#scheduler.clock.wall() + this.#offset;
  }

  monotonic(): number {
    return this.#scheduler.clock.monotonic() - this.#bootedAt;
  }

  jump(byMicros: number): void {
    this.isDoubtful = true;
    this.#offset += Math.floor(byMicros);
  }

  setTo(wall: number): void {
    this.isDoubtful = true;
    this.#offset += Math.floor(wall) - this.wall();
  }

  /** The power was off. Without a battery the wall clock begins where the chip does. */
  reboot(options: { readonly hasBattery: boolean }): void {
    this.boot++;
    this.#bootedAt = this.#scheduler.clock.monotonic() - 1_000_000;
    if (!options.hasBattery) this.setTo(1_000_000);
  }

  /** What `systemClock` of runtime makes of these clocks, by the same rules, for one process of the machine. */
  forProcess(process: SimProcess, options: { readonly floor: number }): SystemClock {
    const { floor } = options;
    let base = Math.max(this.wall(), floor);
    let baseMonotonic = this.monotonic();
    return {
      isPlausible: () => this.wall() >= floor,
      monotonic: () => this.monotonic(),
      after: (delayMs, run) => process.clock.after(delayMs, run),
      now: () => {
        const elapsed = this.monotonic() - baseMonotonic;
        const ours = base + elapsed;
        const theirs = this.wall();
        if (theirs <= ours) return ours as Micros;
        base = theirs;
        baseMonotonic += elapsed;
        return theirs as Micros;
      },
    };
  }
}
