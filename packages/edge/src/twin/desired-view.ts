import {
  type DesiredProgress,
  type DesiredState,
  type ErrorCode,
  limits,
  type Micros,
  type PropertyHold,
  type ValueProgress,
} from "@penstock/model";
import type { Active, End, Slot } from "./desired-slot.ts";

/** The desired values of one property, with what the machine keeps of the cloud's. */
export interface DesiredView extends DesiredProgress {
  readonly state: DesiredState;
  readonly active: Active | null;
  readonly end: End | null;
}

export function viewOf(slot: Slot): DesiredView {
  const { property, highest: version, active, end, local, localEnd, hold } = slot;
  const held = hold !== null && active !== null;
  return {
    ...{ property, version, state: active?.state ?? end?.state ?? "pending", active, end },
    cloud: held ? { ...onItsWay(active), ...heldBy(hold.holder) } : valueView(active, end),
    local: valueView(local, localEnd),
    hold: hold === null ? null : holdOf(slot),
  };
}

/** As the cloud is told: a long text, bytes or JSON value is left out. */
export function holdOf({ device, property, hold }: Slot): PropertyHold {
  const { holder, type, value, since, life } = hold!;
  const isLong = (typeof value === "string" || value instanceof Uint8Array) && value.length > limits.heldValueBytes;
  return {
    ...{ device, property, holder, type, value: isLong || type === "json" ? null : value, since },
    until: life === null ? null : (Math.round(life.wallDeadline) as Micros),
  };
}

function heldBy(holder: string): { readonly reason: ErrorCode; readonly message: string } {
  return { reason: "twin/held", message: `${holder} holds the property; the value waits` };
}

function valueView(active: Active | null, end: End | null): ValueProgress | null {
  if (active !== null) return onItsWay(active);
  if (end === null) return null;
  const { state, type, reason, message, value: readBack, takenAt, writtenAt, time: endedAt } = end;
  return { ...{ state, type, value: null, reason, message, readBack }, ...{ takenAt, writtenAt, endedAt } };
}

function onItsWay({ state, type, value, trouble, takenAt, writtenAt }: Active): ValueProgress {
  const reason = trouble?.code ?? null;
  const message = trouble?.message ?? null;
  return { ...{ state, type, value, reason, message, readBack: null }, ...{ takenAt, writtenAt, endedAt: null } };
}
