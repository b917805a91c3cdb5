/** Loaded before the cloud's own code: its series writer ends as soon as the file that is named stands there. */
import { existsSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";

// Only the writer is told how long a slice of sealing may take.
if (!isMainThread && typeof workerData === "object" && workerData !== null && "sliceMs" in workerData) {
  setInterval(() => {
    if (existsSync(process.env.DIE_WHEN ?? "")) throw new Error("The series writer ends here");
  }, 20).unref();
}
