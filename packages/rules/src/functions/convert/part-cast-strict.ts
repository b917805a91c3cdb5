import { fromBase64 } from "@penstock/model";
import { Instant, type Value } from "../../value/value.ts";
import { plainFloat } from "../text/part-go-text.ts";
import { momentOf } from "../time/part-moment.ts";
import { type Cast, type CastType, cannotCast } from "./part-cast.ts";

const truths = new Map([
  ["true", true],
  ["false", false],
]);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What would lose something, or may be meant in two ways, is refused. */
export const strictCasts: Readonly<Record<CastType, Cast>> = {
  bigint(value) {
    if (typeof value === "boolean") return value ? 1n : 0n;
    if (typeof value === "number" && !Number.isInteger(value)) {
      throw cannotCast(value, "bigint", "it is no whole number; round(x), floor(x) and trunc(x) say what is meant");
    }
    return fitting(typeof value === "string" ? digitsOf(value) : value);
  },
  float(value) {
    if (typeof value === "bigint" || typeof value === "number") return Number(value);
    if (typeof value !== "string" || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return null;
    const float = Number(value);
    return Number.isFinite(float) ? float : null;
  },
  string(value) {
    if (typeof value === "number") return plainFloat(value);
    if (value instanceof Uint8Array) return utf8(value);
    if (value instanceof Instant) return iso(value);
    return typeof value === "object" ? null : String(value);
  },
  boolean(value) {
    if (typeof value === "boolean") return value;
    if (typeof value === "string") return truths.get(value.toLowerCase()) ?? null;
    return typeof value === "bigint" || typeof value === "number" ? ([false, true][Number(value)] ?? null) : null;
  },
  datetime: (value, context) => momentOf("cast", value, context),
  bytea(value) {
    if (value instanceof Uint8Array) return value;
    return typeof value === "string" ? fromBase64(value) : null;
  },
};

function digitsOf(text: string): bigint | null {
  return /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace("+", "")) : null;
}

function fitting(value: Value): bigint | null {
  if (typeof value !== "bigint" && typeof value !== "number") return null;
  const whole = BigInt(value);
  return BigInt.asIntN(64, whole) === whole ? whole : null;
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** "2026-11-01T12:34:56.789Z", with microseconds where there are some */
function iso(at: Instant): string {
  const micros = at.micros - at.ms * 1000;
  const text = new Date(at.ms).toISOString();
  return micros === 0 ? text : text.replace("Z", `${String(micros).padStart(3, "0")}Z`);
}
