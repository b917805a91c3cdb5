import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * The thread that calls this gets less of a busy processor than the other threads of the process, and all of an idle one. So
 * do the threads that collect garbage beside all threads of the process: else what this one leaves behind is cleared away
 * at the cost of the others. Where the system cannot do that nothing changes.
 *
 * @source Linux, setpriority(2), "C library/kernel differences": nice values belong to threads; proc_thread-self(5);
 * proc_pid_task(5)
 */
export function lowerThreadPriority(): void {
  try {
    const [, , thread] = readlinkSync("/proc/thread-self").split("/");
    setPriority(Number(thread), niceBeside);
    for (const one of readdirSync("/proc/self/task"))
      if (readFileSync(`/proc/self/task/${one}/comm`, "utf8").startsWith(collectorName))
        setPriority(Number(one), niceBeside);
  } catch {
    // Elsewhere than on Linux.
  }
}

/** a third of what a thread of normal priority gets */
const niceBeside = 5;
/** what Node.js calls the threads of V8's platform */
const collectorName = "V8Worker";
