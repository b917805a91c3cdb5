import { limits } from "./limits.ts";
import { integerBounds, isIntegerType, type Json, type Value, type ValueType } from "./value.ts";
import { fromBase64, toBase64 } from "./value-base64.ts";
import { shortestFloat32 } from "./value-float32.ts";

/** A value, or which rule the input breaks. */
export type ParsedValue =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: "twin/wrong-type" | "twin/out-of-range"; readonly rule: string };

/**
 * A value as JSON (DESIGN 4, Values): int64 and uint64 are decimal strings, small ones too; bytes are base64; float32 is
 * the number that prints shortest. NaN and infinities become null, and the caller sets quality bad with a reason.
 * The sign of a zero is lost, as in every JSON printer of JavaScript.
 */
export function valueToJson(type: ValueType, value: Value): Json {
  if (value === null) return null;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return null;
    return type === "float32" ? shortestFloat32(value) : value;
  }
  if (value instanceof Uint8Array) return toBase64(value);
  if (typeof value === "object") return value.json;
  return value;
}

const integerText = /^-?(0|[1-9]\d{0,19})$/;
const encoder = new TextEncoder();

/**
 * The inverse of `valueToJson`. A 64-bit integer may also come as a JSON number that holds it exactly. For type json any
 * JSON is a value, null too; for all others null is none.
 */
export function valueFromJson(type: ValueType, json: Json): ParsedValue {
  if (type === "json") return withinBytes(JSON.stringify(json), limits.stringValueBytes, { json });
  if (isIntegerType(type)) return integerFromJson(type, json);
  switch (type) {
    case "bool":
      return typeof json === "boolean" ? { ok: true, value: json } : wrong("must be true or false");
    case "float32":
    case "float64":
      return typeof json === "number" ? float(type, json) : wrong("must be a number");
    case "string":
      return typeof json === "string" ? text(json) : wrong("must be a text");
    case "bytes":
      return typeof json === "string" ? bytes(json) : wrong("must be a text of base64");
  }
}

function integerFromJson(type: keyof typeof integerBounds, json: Json): ParsedValue {
  const wide = type === "int64" || type === "uint64";
  if (wide && typeof json === "string" && integerText.test(json)) return integer(type, BigInt(json));
  if (typeof json !== "number")
    return wrong(wide ? "must be a whole number as decimal text" : "must be a whole number");
  if (!Number.isInteger(json)) return wrong("must be a whole number");
  if (wide && !Number.isSafeInteger(json))
    return wrong("must be decimal text beyond 2^53, where a number is not exact");
  return integer(type, BigInt(json));
}

/** Shared with value-text.ts: the last step of both ways in. */
export function integer(type: keyof typeof integerBounds, number: bigint): ParsedValue {
  const [low, high] = integerBounds[type];
  if (number < low || number > high) return outside(`must be ${low}..${high}, the range of ${type}`);
  return { ok: true, value: type === "int64" || type === "uint64" ? number : Number(number) };
}

export function float(type: "float32" | "float64", number: number): ParsedValue {
  const held = type === "float32" ? Math.fround(number) : number;
  return Number.isFinite(held) ? { ok: true, value: held } : outside(`must be a finite number that ${type} can hold`);
}

export function text(value: string): ParsedValue {
  // A lone surrogate has no UTF-8 form, so it could not cross any wire unchanged.
  if (!value.isWellFormed()) return wrong("must be well-formed Unicode");
  return withinBytes(value, limits.stringValueBytes, value);
}

export function bytes(base64: string): ParsedValue {
  if (base64.length > Math.ceil(limits.bytesValueBytes / 3) * 4) {
    return outside(`must be at most ${limits.bytesValueBytes} bytes`);
  }
  const value = fromBase64(base64);
  if (value === null) return wrong("must be base64 with padding");
  return value.length <= limits.bytesValueBytes
    ? { ok: true, value }
    : outside(`must be at most ${limits.bytesValueBytes} bytes`);
}

function withinBytes(content: string, limit: number, value: Value): ParsedValue {
  const fits = content.length <= limit && (content.length * 3 <= limit || encoder.encode(content).length <= limit);
  return fits ? { ok: true, value } : outside(`must be at most ${limit} bytes`);
}

export function wrong(rule: string): ParsedValue {
  return { ok: false, code: "twin/wrong-type", rule };
}

function outside(rule: string): ParsedValue {
  return { ok: false, code: "twin/out-of-range", rule };
}
