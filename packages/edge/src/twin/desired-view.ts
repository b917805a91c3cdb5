import { type DesiredState, type ErrorCode, limits, type Micros, type PropertyHold } from "@penstock/model";
import type { Active, End, Slot } from "./desired-slot.ts";

/** Where a value stands on its way to the device, and when it made each step. */
export interface ValueView {
  readonly state: DesiredState;
  readonly type: Active["type"];
  /** what was wanted; null once it has ended */
  readonly value: Active["value"];
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  /** what the device held in the end; null while it is on its way */
  readonly readBack: End["value"];
  readonly takenAt: Micros | null;
  readonly writtenAt: Micros | null;
  readonly endedAt: Micros | null;
}

/** The desired values of one property. */
export interface DesiredView {
  readonly property: string;
  readonly version: number;
  readonly state: DesiredState;
  readonly active: Active | null;
  readonly end: End | null;
  /** of the cloud; null when it never set one */
  readonly cloud: ValueView | null;
  /** set at the gateway; null when nobody did */
  readonly local: ValueView | null;
  readonly hold: PropertyHold | null;
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

function valueView(active: Active | null, end: End | null): ValueView | null {
  if (active !== null) return onItsWay(active);
  if (end === null) return null;
  const { state, type, reason, message, value: readBack, takenAt, writtenAt, time: endedAt } = end;
  return { ...{ state, type, value: null, reason, message, readBack }, ...{ takenAt, writtenAt, endedAt } };
}

function onItsWay({ state, type, value, trouble, takenAt, writtenAt }: Active): ValueView {
  const reason = trouble?.code ?? null;
  const message = trouble?.message ?? null;
  return { ...{ state, type, value, reason, message, readBack: null }, ...{ takenAt, writtenAt, endedAt: null } };
}
