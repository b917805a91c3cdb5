import {
  AppError,
  desiredFromJson,
  type EffectiveDevice,
  type FieldError,
  type Json,
  limits,
  type RuleActionOf,
  type RuleSpec,
  shown,
} from "@penstock/model";
import { checkAlarmColumns } from "./check-alarm-action.ts";

const anywhere = /\$\{([^{}]{1,256})\}/g;

interface At {
  readonly spec: RuleSpec;
  /** of the results; null: only known when there is one */
  readonly columns: readonly string[] | null;
  readonly node: string;
  readonly devices: readonly EffectiveDevice[];
}

/** What actions name that the results, or the devices of a gateway, do not have. */
export function checkRuleActions(at: At): FieldError[] {
  const fields: FieldError[] = [];
  for (const [i, action] of at.spec.actions.entries()) {
    for (const [kind, settings] of Object.entries(action)) {
      const field = `spec.actions[${i}].${kind}`;
      fields.push(...checkColumns(settings, field, at.columns));
      if (kind === "alarm") fields.push(...checkAlarm(settings as RuleActionOf<"alarm">, field, at));
      if (kind === "series") fields.push(...checkSeries(settings as RuleActionOf<"series">, field, at));
      if (kind === "write") fields.push(...checkWrite(settings as RuleActionOf<"write">, field, at));
      if (kind === "call") fields.push(...checkCall(settings as RuleActionOf<"call">, field, at));
    }
  }
  return fields.slice(0, limits.fieldsTold);
}

/** Each "${column}" must be a column; of a path "${a.b}" the first name. */
function checkColumns(value: unknown, field: string, columns: readonly string[] | null): FieldError[] {
  if (columns === null) return [];
  if (typeof value === "string") {
    return Array.from(value.matchAll(anywhere), (match) => match[1]!)
      .filter((name) => !columns.includes(name) && !columns.includes(name.split(".")[0]!))
      .map((name) => ({ field, value: shown(value), rule: `names no column "${name}": ${listOf(columns)}` }));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    checkColumns(one, Array.isArray(value) ? `${field}[${key}]` : `${field}.${key}`, columns),
  );
}

/** What it does to devices is checked as the actions of their kinds are. */
function checkAlarm(alarm: RuleActionOf<"alarm">, field: string, at: At): FieldError[] {
  const fields = checkAlarmColumns(alarm, field, at.columns);
  for (const on of ["onRaise", "onClear"] as const) {
    for (const [i, { write, call }] of (alarm[on] ?? []).entries()) {
      const place = `${field}.${on}[${i}]`;
      if (write !== undefined) fields.push(...checkWrite(write, `${place}.write`, at));
      if (call !== undefined) fields.push(...checkCall(call, `${place}.call`, at));
    }
  }
  return fields;
}

function checkSeries({ device: name, properties, time }: RuleActionOf<"series">, field: string, at: At): FieldError[] {
  const { columns } = at;
  const fields: FieldError[] = [];
  const named =
    properties === undefined ? (columns ?? []).map((column) => [column, column]) : Object.entries(properties);
  const missing = [...Object.keys(properties ?? {}), ...(time === undefined ? [] : [time])];
  for (const column of missing) {
    if (columns === null || columns.includes(column)) continue;
    fields.push({ field, value: shown(column), rule: `is no column of the result: ${listOf(columns)}` });
  }
  const device = deviceOf(name, at);
  if (device === "any") return fields;
  if (device === null) return [...fields, noDevice(name, field, at)];
  for (const [column, property] of named as [string, string][]) {
    if (column === time) continue;
    const found = device.properties.find((one) => one.name === property);
    if (found?.isCalculated === true) continue;
    const why = found === undefined ? "there is no such property" : "it is collected";
    const rule = `must be a calculated property of device "${name}" at gateway "${at.node}" (calculated: true): ${why}`;
    fields.push({ field: properties === undefined ? field : `${field}.properties`, value: shown(property), rule });
  }
  return fields;
}

function checkWrite({ device: name, property, value }: RuleActionOf<"write">, field: string, at: At): FieldError[] {
  const device = deviceOf(name, at);
  if (device === "any") return [];
  if (device === null) return [noDevice(name, field, at)];
  if (property.includes("${")) return [];
  const found = device.properties.find((one) => one.name === property);
  const refuse = (rule: string) => [{ field: `${field}.property`, value: shown(property), rule }];
  const whose = `device "${name}" at gateway "${at.node}"`;
  if (found === undefined)
    return refuse(`must be a property of ${whose}: ${listOf(device.properties.map((p) => p.name))}`);
  if (found.access === "read") return refuse(`must be one that can be written: its access at ${whose} is read`);
  if (found.localWrites === "refuse") {
    return refuse(
      `must be one that may be set at the gateway: its localWrites at ${whose} is refuse, not yield or hold`,
    );
  }
  if (JSON.stringify(value ?? null).includes("${")) return [];
  try {
    desiredFromJson(found, value as Json, `${field}.value`);
    return [];
  } catch (error) {
    if (error instanceof AppError) return [...error.fields];
    throw error;
  }
}

function checkCall(
  { device: name, method, arguments: given = {} }: RuleActionOf<"call">,
  field: string,
  at: At,
): FieldError[] {
  const device = deviceOf(name, at);
  if (device === "any") return [];
  if (device === null) return [noDevice(name, field, at)];
  if (method.includes("${")) return [];
  const found = device.methods.find((one) => one.name === method);
  const whose = `device "${name}" at gateway "${at.node}"`;
  if (found === undefined) {
    const rule = `must be a method of ${whose}: ${listOf(device.methods.map((one) => one.name))}`;
    return [{ field: `${field}.method`, value: shown(method), rule }];
  }
  const known = new Set(found.arguments.map((one) => one.name));
  const fields = Object.keys(given)
    .filter((key) => !known.has(key))
    .map((key) => ({
      field: `${field}.arguments`,
      value: shown(key),
      rule: `must be an argument: ${listOf([...known])}`,
    }));
  for (const argument of found.arguments) {
    if (argument.isOptional || Object.hasOwn(given, argument.name)) continue;
    fields.push({ field: `${field}.arguments`, value: "missing", rule: `must have "${argument.name}"` });
  }
  return fields;
}

/** "any": a column names it */
function deviceOf(name: string, { devices }: At): EffectiveDevice | "any" | null {
  return name.includes("${") ? "any" : (devices.find((one) => one.name === name) ?? null);
}

function noDevice(name: string, field: string, { node }: At): FieldError {
  return { field: `${field}.device`, value: shown(name), rule: `must be a device at gateway "${node}"` };
}

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "there is none";
  const more = names.length > 20 ? ` and ${names.length - 20} more` : "";
  return `there are ${names.slice(0, 20).join(", ")}${more}`;
}
