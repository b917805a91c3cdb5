import type { FieldError } from "../errors.ts";
import { shown } from "../shown.ts";
import { integerBounds, isIntegerType, isNumericType, type ValueType } from "../value.ts";
import { checkCadences } from "./check-cadence.ts";
import { checkCustom } from "./check-custom.ts";
import { checkTopic } from "./check-topic.ts";
import { checkUnit } from "./check-unit.ts";
import type { MergedProperty } from "./effective-device.ts";

/** What one property must keep whatever its protocol; also used for a model's, whose visitor may still be incomplete. */
export function checkProperty(property: MergedProperty, at: string): FieldError[] {
  const { type, access = "read", localWrites, publish } = property;
  if (type === undefined) {
    return [{ field: `${at}.type`, value: shown(undefined), rule: "is required, here or in the model" }];
  }
  const fields: FieldError[] = [];
  fields.push(...checkRange(type, property, at));
  fields.push(...checkUnit(property.unit, `${at}.unit`));
  fields.push(...checkCadences(property, at));
  if (localWrites !== undefined && localWrites !== "refuse" && access === "read") {
    const rule = "cannot stand with access read: nobody can set it";
    fields.push({ field: `${at}.localWrites`, value: shown(localWrites), rule });
  }
  if (property.calculated === true) fields.push(...checkCalculated(property, at));
  if (publish !== undefined) fields.push(...checkTopic(publish.topic, `${at}.publish.topic`));
  if (property.custom !== undefined) fields.push(...checkCustom(property.custom, `${at}.custom`));
  return fields;
}

/** What says how a device is read or written says nothing of a property that rules give. */
function checkCalculated(property: MergedProperty, at: string): FieldError[] {
  const fields: FieldError[] = [];
  for (const name of ["visitor", "collect"] as const) {
    if (property[name] === undefined) continue;
    const rule = "cannot stand with calculated: rules give its readings";
    fields.push({ field: `${at}.${name}`, value: shown(property[name]), rule });
  }
  if (property.access !== undefined && property.access !== "read") {
    const rule = "must be read with calculated: rules give its readings";
    fields.push({ field: `${at}.access`, value: shown(property.access), rule });
  }
  return fields;
}

/** minimum and maximum of a property or an argument */
export function checkRange(
  type: ValueType,
  given: Pick<MergedProperty, "minimum" | "maximum">,
  at: string,
): FieldError[] {
  const fields: FieldError[] = [];
  const low = checkBound(type, given.minimum, `${at}.minimum`, fields);
  const high = checkBound(type, given.maximum, `${at}.maximum`, fields);
  if (low !== null && high !== null && low > high) {
    const rule = `must be at most maximum, ${String(given.maximum)}`;
    fields.push({ field: `${at}.minimum`, value: shown(given.minimum), rule });
  }
  return fields;
}

/** Adds what is wrong to `fields`; returns the bound, exact, or null when there is none that can be compared. */
function checkBound(
  type: ValueType,
  bound: number | string | undefined,
  field: string,
  fields: FieldError[],
): bigint | number | null {
  if (bound === undefined) return null;
  const refuse = (rule: string) => {
    fields.push({ field, value: shown(bound), rule });
    return null;
  };
  if (!isNumericType(type)) return refuse(`${type} has no range`);
  if (!isIntegerType(type)) {
    const number = Number(bound);
    if (type === "float32" && !Number.isFinite(Math.fround(number)))
      return refuse("must be a number that float32 can hold");
    return number;
  }
  if (typeof bound === "number" && !Number.isSafeInteger(bound)) {
    return refuse(`must be a whole number for ${type}; beyond 2^53 as decimal text`);
  }
  if (typeof bound === "string" && !/^-?\d+$/.test(bound)) return refuse(`must be a whole number for ${type}`);
  const value = BigInt(bound);
  const [least, most] = integerBounds[type];
  return value < least || value > most ? refuse(`must be ${least}..${most}, the range of ${type}`) : value;
}
