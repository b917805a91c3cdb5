import { readFileSync } from "node:fs";
import type { Micros } from "@penstock/model";
import type { Clock } from "./clock.ts";

/**
 * Which boot of the machine this is: within one, all processes share the monotonic clock. null where the system does not
 * say.
 *
 * @source Linux, Documentation/admin-guide/sysctl/kernel.rst, "random": boot_id
 */
export function machineBoot(): string | null {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}

/** Longest delay that setTimeout takes; longer ones are cut into several. */
const longestDelayMs = 2 ** 31 - 1;

export interface SystemClock extends Clock {
  /** false while the machine's own clock stands below the floor: nobody has set it since it lost power */
  isPlausible(): boolean;
}

/**
 * The machine's clocks. The wall clock is read once and then follows the monotonic one, corrected when the machine's
 * clock has been set forward; set backward, it stands on its own course until the machine catches up, so that it never
 * runs backwards within a process.
 *
 * @param options.floor the wall clock never starts below it: the last time on disk or the build date
 */
export function systemClock(options: { readonly floor?: Micros } = {}): SystemClock {
  const machine = () => Date.now() * 1000;
  const monotonic = () => Math.floor(Number(process.hrtime.bigint() / 1000n));
  const floor = options.floor ?? 0;
  let base = Math.max(machine(), floor);
  let baseMonotonic = monotonic();
  return {
    isPlausible: () => machine() >= floor,
    monotonic,
    now() {
      const elapsed = monotonic() - baseMonotonic;
      const ours = base + elapsed;
      const theirs = machine();
      if (theirs > ours) {
        base = theirs;
        baseMonotonic += elapsed;
        return theirs as Micros;
      }
      return ours as Micros;
    },
    after(delayMs, run) {
      let timer: NodeJS.Timeout;
      const arm = (left: number) => {
        const step = Math.min(left, longestDelayMs);
        timer = setTimeout(() => (left > step ? arm(left - step) : run()), step);
      };
      arm(Math.max(0, delayMs));
      return () => clearTimeout(timer);
    },
  };
}
