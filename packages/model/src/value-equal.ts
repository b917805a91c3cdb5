import { isIntegerType, type Json, type Value, type ValueType } from "./value.ts";
import { toBase64 } from "./value-base64.ts";

/** Same type, same value; NaN equals NaN, 0 equals -0. */
export function sameValue(a: Value, b: Value): boolean {
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && toBase64(a) === toBase64(b);
  }
  if (a !== null && b !== null && typeof a === "object" && typeof b === "object") return sameJson(a.json, b.json);
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

function sameJson(a: Json, b: Json): boolean {
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at]!));
  }
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key] ?? null, b[key] ?? null))
  );
}

/** Array.isArray does not narrow a readonly array. */
function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

/**
 * Whether a value read back is what was written, as far as the device can hold it: a register in steps of `scale` holds
 * the nearest step, and a float may have passed through a narrower one. Everything else must be equal.
 */
export function isHeldAs(options: { type: ValueType; wanted: Value; found: Value; scale: number | null }): boolean {
  const { type, wanted, found } = options;
  if (sameValue(wanted, found)) return true;
  // One part in 10^9 more than half a step, for the rounding of the arithmetic itself.
  const halfStep = options.scale === null ? 0 : (Math.abs(options.scale) / 2) * (1 + 1e-9);
  if (type === "float32" || type === "float64") {
    if (typeof wanted !== "number" || typeof found !== "number") return false;
    return Math.abs(wanted - found) <= Math.max(1e-6 * Math.abs(wanted), halfStep);
  }
  if (!isIntegerType(type) || halfStep < 1) return false;
  if (typeof wanted === "bigint" && typeof found === "bigint") return Math.abs(Number(wanted - found)) <= halfStep;
  return typeof wanted === "number" && typeof found === "number" && Math.abs(wanted - found) <= halfStep;
}
