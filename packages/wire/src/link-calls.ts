import {
  type CallArgument,
  type CallEnd,
  type CallReport,
  type CallStep,
  callStates,
  type DeviceUid,
  isCallEnd,
  limits,
  type MethodCall,
  type Micros,
  type PropertyHold,
} from "@penstock/model";
import { bad, type Check, errorCode, hex32, list, oneOf, orNull, shape, text, valueType } from "./link-check.ts";
import { checkValue } from "./link-value.ts";

/** Calls of methods, how they ended, and values that are held at the gateway: as they stand in messages of the link. */

const uid = text<DeviceUid>(64);
const name = text(64);
const message = orNull(text(4096));
const micros: Check<Micros> = (value, path) =>
  typeof value === "number" && Number.isSafeInteger(value) ? (value as Micros) : bad(path, "whole microseconds");

export const callIds = list(hex32(), limits.callsRemembered);

const argument: Check<CallArgument> = (value, path) => {
  const base = shape<Omit<CallArgument, "value">>({ name, type: valueType })(value, path);
  return { ...base, value: typedValue(base.type, value, path) };
};
export const methodCall: Check<MethodCall> = shape<MethodCall>({
  id: hex32(),
  device: uid,
  method: name,
  arguments: list(argument, limits.argumentsPerMethod),
  ttlMs: (ttl, at) => (typeof ttl === "number" && ttl >= 0 ? ttl : bad(at, "milliseconds")),
});

const callStep = shape<CallStep>({
  property: name,
  state: oneOf(["written", "failed", "unknown", "not tried"]),
  reason: orNull(errorCode),
  message,
});
export const callReport: Check<CallReport> = (value, path) => {
  const base = shape<Omit<CallReport, "value">>({
    id: hex32(),
    device: uid,
    state: oneOf<CallEnd>(callStates.filter(isCallEnd)),
    reason: orNull(errorCode),
    message,
    type: orNull(valueType),
    steps: list(callStep, limits.argumentsPerMethod),
    time: micros,
  })(value, path);
  return { ...base, value: base.type === null ? null : typedValue(base.type, value, path) };
};

export const propertyHold: Check<PropertyHold> = (value, path) => {
  const base = shape<Omit<PropertyHold, "value">>({
    device: uid,
    property: name,
    holder: text(limits.holderChars),
    type: valueType,
    since: micros,
    until: orNull(micros),
  })(value, path);
  return { ...base, value: typedValue(base.type, value, path) };
};

/** `value` beside the field that names its type. */
function typedValue(type: Parameters<typeof checkValue>[0], holder: unknown, path: string) {
  return checkValue(type, (holder as { value?: unknown }).value, `${path}.value`);
}
