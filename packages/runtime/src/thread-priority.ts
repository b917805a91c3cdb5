import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * The thread that calls this gets less of a busy processor than the other threads of the process, and all of an idle one.
 * Where the system cannot do that nothing changes.
 *
 * @source Linux, setpriority(2), "C library/kernel differences": nice values belong to threads; proc_thread-self(5)
 */
export function lowerThreadPriority(): void {
  try {
    const [, , thread] = readlinkSync("/proc/thread-self").split("/");
    setPriority(Number(thread), niceBeside);
  } catch {
    // Elsewhere than on Linux.
  }
}

/** a third of what a thread of normal priority gets */
const niceBeside = 5;
