import type { Log } from "@penstock/runtime";
import type { TraceStep } from "@penstock/wire";

/** Logs, on behalf of the mapper's process, the files that a value has passed there: only the agent knows the value's id. */
export function logSteps(log: Log, id: string, steps: readonly TraceStep[] | undefined): void {
  for (const { file, message } of Array.isArray(steps) ? steps : [])
    log.trace({ file: String(file).slice(0, 200), id }, String(message).slice(0, 200));
}
