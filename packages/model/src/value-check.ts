import { AppError, type ErrorCode } from "./errors.ts";
import type { EffectiveProperty } from "./resources/effective.ts";
import { isNumericType, type Json, type Value, type ValueType } from "./value.ts";
import { sameValue } from "./value-equal.ts";
import { shortestFloat32 } from "./value-float32.ts";
import { type ParsedValue, valueFromJson, valueToJson, wrong } from "./value-json.ts";
import { valueFromText, valueToText } from "./value-text.ts";

/** What a check needs to know of a property. */
export type CheckedProperty = Pick<EffectiveProperty, "name" | "type" | "access" | "minimum" | "maximum">;

/**
 * The value of a desired change, read from JSON and checked: access, type, range.
 *
 * @param field  where the value stands in the input, such as "value"; named in the error
 * @throws AppError twin/read-only, twin/wrong-type or twin/out-of-range with one FieldError
 */
export function desiredFromJson(property: CheckedProperty, json: Json, field = "value"): Value {
  return accepted(property, valueFromJson(property.type, json), { field, shown: shorten(JSON.stringify(json)) });
}

/** As `desiredFromJson`, from text as people type it. */
export function desiredFromText(property: CheckedProperty, input: string, field = "value"): Value {
  return accepted(property, valueFromText(property.type, input), { field, shown: shorten(JSON.stringify(input)) });
}

/** Checks a value that is typed already, such as one that came over the link: nothing unchecked reaches a device. */
export function checkDesired(property: CheckedProperty, type: ValueType, value: Value, field = "value"): void {
  const shown = shorten(valueToText(type, value));
  if (type !== property.type) {
    refuse(property, "twin/wrong-type", { field, shown, rule: `must be ${property.type}, not ${type}` });
  }
  const parsed = valueFromJson(type, valueToJson(type, value));
  // The detour over JSON forgets what kind of thing it was: bytes handed in for a string must not pass as their base64.
  const same = value !== null && parsed.ok && sameValue(parsed.value, type === "float32" ? fround(value) : value);
  accepted(property, parsed.ok && !same ? wrong(`must be a value of ${type}`) : parsed, { field, shown });
}

function fround(value: Value): Value {
  return typeof value === "number" ? Math.fround(value) : value;
}

interface Place {
  readonly field: string;
  readonly shown: string;
}

function accepted(property: CheckedProperty, parsed: ParsedValue, place: Place): Value {
  if (property.access === "read") {
    refuse(property, "twin/read-only", { ...place, rule: "the property's access is read" });
  }
  if (!parsed.ok) refuse(property, parsed.code, { ...place, rule: parsed.rule });
  const rule = brokenBound(property, parsed.value);
  if (rule !== null) refuse(property, "twin/out-of-range", { ...place, rule });
  return parsed.value;
}

/** The rule of a range that a value breaks; null when it is within. */
export function brokenBound(property: CheckedProperty, value: Value): string | null {
  if (!isNumericType(property.type)) return null;
  // Bounds are written in decimal: float32 0.1 is a little above 0.1 and must still pass a maximum of 0.1.
  const number = property.type === "float32" ? shortestFloat32(value as number) : (value as number | bigint);
  if (property.minimum !== null && number < bound(property.minimum)) return `must be at least ${property.minimum}`;
  if (property.maximum !== null && number > bound(property.maximum)) return `must be at most ${property.maximum}`;
  return null;
}

/** Whole bounds stay exact beyond 2^53; JavaScript compares bigint with number by mathematical value. */
function bound(decimal: string): number | bigint {
  return /^-?\d+$/.test(decimal) ? BigInt(decimal) : Number(decimal);
}

function refuse(property: CheckedProperty, code: ErrorCode, at: Place & { rule: string }): never {
  throw new AppError(code, `Cannot set "${property.name}" to ${at.shown}: ${at.field} ${at.rule}`, {
    fields: [{ field: at.field, value: at.shown, rule: at.rule }],
  });
}

function shorten(content: string): string {
  return content.length <= 80 ? content : `${content.slice(0, 77)}...`;
}
