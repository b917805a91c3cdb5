import type { Log } from "@penstock/runtime";
import type { TraceStep } from "@penstock/wire";
import { sayable } from "./sayable.ts";

/** Logs, on behalf of the mapper's process, the files that a value has passed there: only the agent knows the value's id. */
export function logSteps(log: Log, id: string, steps: readonly TraceStep[] | undefined): void {
  for (const step of Array.isArray(steps) ? steps : [])
    log.trace({ file: sayable(step?.file, 200), id }, sayable(step?.message, 200));
}
