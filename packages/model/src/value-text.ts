import { isIntegerType, type Json, type Value, type ValueType } from "./value.ts";
import { toBase64 } from "./value-base64.ts";
import { shortestFloat32 } from "./value-float32.ts";
import { bytes, float, integer, type ParsedValue, text, valueFromJson, wrong } from "./value-json.ts";

/**
 * A value as people type it and KubeEdge's topics carry it: "42", "true", "0.1", base64 for bytes, JSON for json, the
 * string itself for string. No value is the empty text.
 */
export function valueToText(type: ValueType, value: Value): string {
  if (value === null) return "";
  if (value instanceof Uint8Array) return toBase64(value);
  if (typeof value === "object") return JSON.stringify(value.json);
  if (typeof value !== "number") return String(value);
  if (Object.is(value, -0)) return "-0";
  return String(type === "float32" ? shortestFloat32(value) : value);
}

const wholeText = /^-?\d{1,20}$/;
const floatText = /^-?\d+(\.\d+)?([eE][+-]?\d{1,4})?$/;

/** The inverse of `valueToText`. Plain decimal only: "0x10", " 42" and "yes" are refused, never guessed at. */
export function valueFromText(type: ValueType, input: string): ParsedValue {
  if (isIntegerType(type)) {
    return wholeText.test(input) ? integer(type, BigInt(input)) : wrong("must be a whole number in decimal digits");
  }
  switch (type) {
    case "bool":
      return input === "true" || input === "false"
        ? { ok: true, value: input === "true" }
        : wrong("must be true or false");
    case "float32":
    case "float64":
      return input.length <= 400 && floatText.test(input)
        ? float(type, Number(input))
        : wrong("must be a number such as 42, -0.5 or 1e3");
    case "string":
      return text(input);
    case "bytes":
      return bytes(input);
    case "json":
      return jsonFromText(input);
  }
}

function jsonFromText(input: string): ParsedValue {
  let json: Json;
  try {
    json = JSON.parse(input) as Json;
  } catch {
    return wrong("must be JSON");
  }
  return valueFromJson("json", json);
}
