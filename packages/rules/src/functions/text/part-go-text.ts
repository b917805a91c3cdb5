import { effort } from "../../run/effort.ts";
import { Instant, type ObjectValue, type Value } from "../../value/value.ts";
import { plainDecimal, writtenDecimal } from "../math/part-decimal.ts";

/**
 * What eKuiper makes of a value that is no text where it wants one: 21.5, true, [1 2], map[a:1 b:2]. A moment is told in UTC.
 *
 * @source Go 1.23, package fmt, verb %v; package strconv, FormatFloat 'g'; package time, Time.String
 */
export function goText(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return floatText(value);
  if (typeof value !== "object") return String(value);
  if (value === null) return "<nil>";
  if (value instanceof Instant) return momentText(value);
  if (value instanceof Uint8Array) {
    effort.eachChar(value.length << 1);
    return `[${value.join(" ")}]`;
  }
  effort.fields(1);
  if (Array.isArray(value)) return `[${value.map(goElement).join(" ")}]`;
  const fields = value as ObjectValue;
  const names = Object.keys(fields).sort();
  effort.sort(names.length);
  effort.fields(names.length);
  return `map[${names.map((name) => `${name}:${goElement(fields[name]!)}`).join(" ")}]`;
}

function goElement(value: Value): string {
  const text = goText(value);
  effort.fields(1);
  effort.chars(text.length);
  return text;
}

/** Without an exponent, as far as there is none: NaN and the infinities as Go has them. */
export function plainFloat(x: number): string {
  const size = Math.abs(x);
  // Here JavaScript writes no exponent either.
  if (size >= 1e-6 && size < 1e21) return String(x);
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x < 0 ? "-Inf" : "+Inf";
  return Object.is(x, -0) ? "-0" : plainDecimal(writtenDecimal(x));
}

function floatText(x: number): string {
  const size = Math.abs(x);
  if (!Number.isFinite(x) || size === 0 || (size >= 1e-4 && size < 1e21)) return plainFloat(x);
  return x.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

/** "2026-11-01 12:34:56.789 +0000 UTC" */
function momentText(at: Instant): string {
  const [day, time] = new Date(at.ms).toISOString().replace("Z", "").split("T") as [string, string];
  const micros = String(at.micros - at.ms * 1000).padStart(3, "0");
  return `${day} ${`${time}${micros}`.replace(/\.?0+$/, "")} +0000 UTC`;
}
