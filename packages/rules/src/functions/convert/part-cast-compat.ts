import { fromBase64 } from "@penstock/model";
import { Instant, type Value } from "../../value/value.ts";
import { goInteger } from "../math/part-integer.ts";
import { textOfUtf8 } from "../text/part-arguments.ts";
import { goText, plainFloat } from "../text/part-go-text.ts";
import { momentOf } from "../time/part-moment.ts";
import type { Cast, CastType } from "./part-cast.ts";

/** @source eKuiper 2.x, pkg/cast/cast.go, ToType */
export const compatCasts: Readonly<Record<CastType, Cast>> = {
  bigint(value) {
    if (typeof value === "bigint") return value;
    if (typeof value === "number") return goInteger(value);
    if (typeof value === "boolean") return value ? 1n : 0n;
    return typeof value === "string" ? goLiteral(value) : null;
  },
  float(value) {
    if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean") return Number(value);
    return typeof value === "string" ? goFloat(value) : null;
  },
  string: castText,
  boolean(value) {
    if (typeof value === "boolean") return value;
    if (typeof value === "bigint" || typeof value === "number") return Number(value) !== 0;
    const at = typeof value === "string" ? truths.indexOf(value) : -1;
    return at < 0 ? null : at < truths.length / 2;
  },
  datetime: (value, context) => momentOf("cast", value, context),
  bytea(value) {
    if (value instanceof Uint8Array) return value;
    return typeof value === "string" ? fromBase64(value.replace(/[\r\n]/g, "")) : null;
  },
};

/** What Go reads as true, then what it reads as false. @source Go 1.23, package strconv, ParseBool */
const truths = ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];

/** Arrays and structs have no text of their own. */
function castText(value: Value): Value {
  if (typeof value === "number") return plainFloat(value);
  if (value instanceof Uint8Array) return textOfUtf8(value);
  return value instanceof Instant || typeof value !== "object" ? goText(value) : null;
}

const prefixes: Readonly<Record<string, { readonly prefix: string; readonly digits: RegExp }>> = {
  "0x": { prefix: "0x", digits: /^[0-9a-f]+$/i },
  "0b": { prefix: "0b", digits: /^[01]+$/ },
  "0o": { prefix: "0o", digits: /^[0-7]+$/ },
  "0": { prefix: "0o", digits: /^[0-7]+$/ },
  "": { prefix: "", digits: /^[0-9]+$/ },
};

/** 12, -0x1f, 0b101, 010 (which is 8), 1_000 only behind such a prefix. @source Go 1.23, package strconv, ParseInt base 0 */
function goLiteral(text: string): bigint | null {
  const [, sign, prefix = "", written] = /^([+-]?)(0[xbo]|0(?=.))?(.{1,80})$/i.exec(text) ?? [];
  if (written === undefined) return null;
  const digits = prefix === "" ? written : written.replace(/^_/, "").replace(/(?<=[0-9a-f])_(?=[0-9a-f])/gi, "");
  const base = prefixes[prefix.toLowerCase()]!;
  if (!base.digits.test(digits)) return null;
  const size = BigInt(base.prefix + digits);
  const value = sign === "-" ? -size : size;
  return BigInt.asIntN(64, value) === value ? value : null;
}

/** @source Go 1.23, package strconv, ParseFloat; without its hexadecimal floats */
function goFloat(text: string): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : null;
  }
  if (/^nan$/i.test(text)) return Number.NaN;
  const [, sign] = /^([+-]?)inf(?:inity)?$/i.exec(text) ?? [];
  return sign === undefined ? null : sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
