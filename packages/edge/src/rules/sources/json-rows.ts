import { limits } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";

/** The rows of a JSON text: an object, or an array of objects. null: it is neither, or lies too deep. */
export function jsonRows(text: string): readonly ObjectValue[] | null {
  if (text.length > limits.devicePayloadBytes || isTooDeep(text)) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const rows = Array.isArray(value) ? value : [value];
  return rows.every(isObject) ? rows : null;
}

function isObject(value: unknown): value is ObjectValue {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whoever walks a value by calling itself must come back. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const one = text.charCodeAt(at);
    if (isText) {
      if (one === 0x5c) at++;
      else if (one === 0x22) isText = false;
    } else if (one === 0x22) isText = true;
    else if (one === 0x7b || one === 0x5b) {
      if (++depth > limits.devicePayloadDepth) return true;
    } else if (one === 0x7d || one === 0x5d) depth--;
  }
  return false;
}
