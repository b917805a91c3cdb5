import { isWideFloat, toBase64 } from "@penstock/model";
import type { Mode } from "../../parse/ast.ts";
import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { Instant, isObject, shown, type Value } from "../../value/value.ts";
import { checkTextLength } from "../array/part-size.ts";

/**
 * A value as JSON. Compat, as Go writes it: fields by name, and < > & as escapes. Strict: fields as they come; a float that
 * would read as an integer beyond 2^53 has an exponent.
 *
 * @throws RowError  for NaN and ±Infinity, and for a text that would be too long
 */
export function writeJson(name: string, value: Value, mode: Mode): string {
  const parts: string[] = [];
  let length = 0;
  const put = (text: string) => {
    length += text.length;
    effort.spend(5 + (text.length >> 2));
    checkTextLength(name, length);
    parts.push(text);
  };
  const write = (one: Value): void => {
    if (Array.isArray(one)) {
      put("[");
      one.forEach((inner, at) => {
        if (at > 0) put(",");
        write(inner);
      });
      put("]");
    } else if (isObject(one)) {
      put("{");
      const names = Object.keys(one);
      effort.fields(names.length);
      if (mode === "compat") {
        effort.sort(names.length);
        names.sort();
      }
      names.forEach((field, at) => {
        put(`${at > 0 ? "," : ""}${written(name, field, mode)}:`);
        write(one[field]!);
      });
      put("}");
    } else put(written(name, one, mode));
  };
  write(value);
  return parts.join("");
}

function written(name: string, value: Value, mode: Mode): string {
  if (typeof value === "string") return text(value, mode);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new RowError(`Cannot call ${name}: JSON has no ${shown(String(value))}`);
  }
  if (typeof value === "number") return mode === "strict" && isWideFloat(value) ? value.toExponential() : String(value);
  if (value instanceof Instant) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${toBase64(value)}"`;
  return JSON.stringify(value ?? null);
}

/** @source Go 1.23, package encoding/json, HTMLEscape */
function text(value: string, mode: Mode): string {
  const quoted = JSON.stringify(value);
  if (mode === "strict") return quoted;
  return quoted.replace(/[<>&\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
