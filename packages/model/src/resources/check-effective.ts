import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { shown } from "../shown.ts";
import { isNumericType } from "../value.ts";
import { brokenBound } from "../value-check.ts";
import { valueFromJson } from "../value-json.ts";
import { checkCustom } from "./check-custom.ts";
import { checkRange } from "./check-property.ts";
import { checkTopic } from "./check-topic.ts";
import type { EffectiveDevice, EffectiveMethod, EffectiveProperty } from "./effective.ts";
import type { LineSettings } from "./line.ts";

/**
 * The rules of `checkDevice` on what a gateway is handed: durations are milliseconds, models are merged in. The mapper's
 * own schemas are not among them: the gateway may have another version of the mapper, which then says so for the device.
 */
export function checkEffectiveProperty(property: EffectiveProperty, at: string): FieldError[] {
  const { type, access, minimum, maximum, publish, localWrites, custom } = property;
  const fields = checkRange(type, { ...(minimum !== null && { minimum }), ...(maximum !== null && { maximum }) }, at);
  if (publish !== null) fields.push(...checkTopic(publish.topic, `${at}.publish.topic`));
  if (localWrites !== "refuse" && access === "read") {
    fields.push(fault(`${at}.localWrites`, localWrites, "cannot stand with access read: nobody can set it"));
  }
  const rule = brokenReport(property);
  if (rule !== null) fields.push(fault(`${at}.report`, property.report, rule));
  fields.push(...checkCustom(custom, `${at}.custom`));
  return fields;
}

function brokenReport({ type, report, collect }: EffectiveProperty): string | null {
  const { cadence, deadband, atLeastMs } = report;
  if (deadband !== null && !(Number.isFinite(deadband) && deadband >= 0))
    return "its dead band must be a number from 0";
  if (deadband !== null && deadband > 0 && !isNumericType(type)) return `${type} is no number: any change is one`;
  if (atLeastMs !== null && deadband === null) return "its heartbeat can only stand beside changes";
  if (collect === null || !("everyMs" in collect)) return null;
  const isFaster = (ms: number) => !(ms >= collect.everyMs);
  if (cadence !== null && "everyMs" in cadence && isFaster(cadence.everyMs)) return "is faster than the reading";
  return atLeastMs !== null && isFaster(atLeastMs) ? "its heartbeat is faster than the reading" : null;
}

export function checkEffectiveDevice(device: EffectiveDevice, at: string): FieldError[] {
  const { offlineAfterMs, methods, custom } = device;
  const fields = checkCustom(custom, `${at}.custom`);
  if (offlineAfterMs !== null) {
    const range = [limits.offlineAfterMinMs, limits.offlineAfterMaxMs] as const;
    fields.push(...within(offlineAfterMs, range, `${at}.offlineAfterMs`));
  }
  const properties = new Map(device.properties.map((property) => [property.name, property]));
  for (const [i, method] of methods.entries()) fields.push(...checkMethod(method, properties, `${at}.methods[${i}]`));
  return fields;
}

function checkMethod(
  method: EffectiveMethod,
  properties: ReadonlyMap<string, EffectiveProperty>,
  at: string,
): FieldError[] {
  const fields = within(method.timeoutMs, [1, limits.methodTimeoutMaxMs], `${at}.timeoutMs`);
  if ((method.visitor === null) === (method.sets.length === 0)) {
    fields.push(fault(at, method.name, "must have either a visitor or properties that it sets"));
  }
  for (const [i, { name, type, minimum, maximum }] of method.arguments.entries()) {
    if (name === "") fields.push(fault(`${at}.arguments[${i}].name`, name, "must be given"));
    const range = { ...(minimum !== null && { minimum }), ...(maximum !== null && { maximum }) };
    fields.push(...checkRange(type, range, `${at}.arguments[${i}]`));
  }
  for (const [i, set] of method.sets.entries()) {
    const rule = brokenSet(method, set, properties.get(set.property));
    if (rule !== null) fields.push(fault(`${at}.sets[${i}]`, set, rule));
  }
  return fields;
}

function brokenSet(
  method: EffectiveMethod,
  set: EffectiveMethod["sets"][number],
  property: EffectiveProperty | undefined,
): string | null {
  if (property === undefined) return "the device has no such property";
  if (property.access === "read") return "the property's access is read";
  if ("argument" in set) {
    const type = method.arguments.find(({ name }) => name === set.argument)?.type;
    if (type === undefined) return `the method has no argument "${set.argument}"`;
    return type === property.type ? null : `the argument is ${type}, the property ${property.type}`;
  }
  const parsed = valueFromJson(property.type, set.value);
  return parsed.ok ? brokenBound(property, parsed.value) : parsed.rule;
}

export function checkLineSettings(line: LineSettings, at: string): FieldError[] {
  const timeout = [limits.lineTimeoutMinMs, limits.lineTimeoutMaxMs] as const;
  const backOff = [limits.lineBackOffMinMs, limits.lineBackOffMaxMs] as const;
  const fields = [
    ...within(line.timeoutMs, timeout, `${at}.timeoutMs`),
    ...within(line.connectTimeoutMs, timeout, `${at}.connectTimeoutMs`),
    ...within(line.backOffFirstMs, backOff, `${at}.backOffFirstMs`),
    ...within(line.backOffLongestMs, backOff, `${at}.backOffLongestMs`),
    ...within(line.pauseMs, [0, limits.linePauseMaxMs], `${at}.pauseMs`),
    ...within(line.retries, [0, limits.lineRetriesMost], `${at}.retries`),
    ...within(line.inFlight, [1, limits.lineInFlightMost], `${at}.inFlight`),
  ];
  if (line.backOffFirstMs > line.backOffLongestMs) {
    fields.push(
      fault(`${at}.backOffFirstMs`, line.backOffFirstMs, `must be at most ${line.backOffLongestMs}, the longest`),
    );
  }
  return fields;
}

function within(number: number, [least, most]: readonly [number, number], field: string): FieldError[] {
  return number >= least && number <= most ? [] : [fault(field, number, `must be ${least}..${most}`)];
}

function fault(field: string, value: unknown, rule: string): FieldError {
  return { field, value: shown(value), rule };
}
