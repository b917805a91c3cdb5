import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { shown } from "../shown.ts";
import { formatDuration, parseDuration } from "../time.ts";
import { isNumericType } from "../value.ts";
import { checkDuration } from "./check-duration.ts";
import { defaultEveryMs, type MergedProperty } from "./effective-device.ts";

const bounds = { least: limits.collectEveryMinMs, most: limits.collectEveryMaxMs };

/** How often a property is read, and what of it is reported; each field under `at`, the property's own path. */
export function checkCadences(property: MergedProperty, at: string): FieldError[] {
  const { collect, report, publish, access = "read" } = property;
  if (access === "write") {
    // It is never read, so there is nothing to collect, to report or to publish.
    return Object.entries({ collect, report, publish }).flatMap(([name, given]) =>
      given === undefined
        ? []
        : [{ field: `${at}.${name}`, value: shown(given), rule: "cannot stand with access write: it is never read" }],
    );
  }
  const fields: FieldError[] = [];
  if (collect !== undefined) {
    const ways = [collect.every, collect.at, collect.subscribe].filter((way) => way !== undefined);
    if (ways.length === 0) {
      fields.push({ field: `${at}.collect`, value: shown(collect), rule: "must state every, at or subscribe" });
    }
    if (collect.subscribe !== undefined && ways.length > 1) {
      const rule = "cannot stand beside every or at: what the device tells by itself is not polled";
      fields.push({ field: `${at}.collect.subscribe`, value: shown(collect.subscribe), rule });
    }
    fields.push(...oneOfBoth(collect, `${at}.collect`));
    fields.push(...checkDuration(collect.every, { field: `${at}.collect.every`, ...bounds }));
  }
  if (report === undefined) return fields;
  fields.push(...oneOfBoth(report, `${at}.report`));
  fields.push(...checkDuration(report.every, { field: `${at}.report.every`, ...bounds }));
  fields.push(...checkDuration(report.atLeast, { field: `${at}.report.atLeast`, ...bounds }));
  if (fields.length > 0) return fields;
  fields.push(...checkDeadband(property, at));
  if (report.atLeast !== undefined && report.onChange === undefined) {
    const rule = "can only stand beside onChange: without it every reading is reported, or that of each period";
    fields.push({ field: `${at}.report.atLeast`, value: shown(report.atLeast), rule });
  }
  if (collect?.at !== undefined || collect?.subscribe !== undefined) return fields;
  const readEveryMs = collect?.every === undefined ? defaultEveryMs : (parseDuration(collect.every) ?? defaultEveryMs);
  for (const name of ["every", "atLeast"] as const) {
    const given = report[name];
    if (given === undefined || (parseDuration(given) ?? readEveryMs) >= readEveryMs) continue;
    const rule = `must be at least collect.every, ${formatDuration(readEveryMs)}: nothing is reported more often than it is read`;
    fields.push({ field: `${at}.report.${name}`, value: shown(given), rule });
  }
  return fields;
}

function oneOfBoth(cadence: { readonly every?: string; readonly at?: readonly string[] }, field: string): FieldError[] {
  if (cadence.every === undefined || cadence.at === undefined) return [];
  return [{ field: `${field}.at`, value: shown(cadence.at), rule: "cannot stand beside every: state one of the two" }];
}

function checkDeadband({ type, minimum, maximum, report }: MergedProperty, at: string): FieldError[] {
  const deadband = report?.onChange?.deadband;
  if (deadband === undefined || type === undefined) return [];
  const field = `${at}.report.onChange.deadband`;
  if (!isNumericType(type)) return [{ field, value: shown(deadband), rule: `${type} is no number: any change is one` }];
  if (deadband.percent === undefined) return [];
  const isRange = minimum !== undefined && maximum !== undefined && Number(maximum) > Number(minimum);
  if (isRange) return [];
  const rule = "is a share of the property's range: needs a minimum and a maximum above it";
  return [{ field: `${field}.percent`, value: shown(deadband.percent), rule }];
}
