import type { DesiredReport, DesiredState, Micros, Value } from "@penstock/model";
import type { Active, End, Slot } from "./desired-slot.ts";
import type { Trouble } from "./desired-step.ts";

export type Reason = Omit<Trouble, "retriable">;

/** A step that a value has made. */
interface Made {
  readonly state: DesiredState;
  readonly trouble: Reason | null;
  readonly value: Value;
  readonly time: Micros;
}

export function reportOf(
  slot: Slot,
  { version, type }: Pick<DesiredReport, "version" | "type">,
  { state, trouble, value, time }: Made,
): DesiredReport {
  const last = slot.reports.at(-1)?.time ?? 0;
  return {
    ...{ device: slot.device, property: slot.property, version, state },
    ...{ reason: trouble?.code ?? null, message: trouble?.message ?? null, value, type },
    // Never before the one before it, though the wall clock of the run before may have been ahead.
    time: Math.max(last, time) as Micros,
  };
}

export function endOf(slot: Slot, active: Active, made: Made): End {
  const { takenAt, writtenAt } = active;
  return { ...reportOf(slot, active, made), takenAt, writtenAt };
}

export function takesNone(property: string): Reason {
  const message = `Cannot set "${property}" at the gateway: its localWrites is refuse`;
  return { code: "twin/read-only", message };
}
