import { isObject, type Value } from "../../value/value.ts";

/** The digits of a number in full, without an exponent, as few as tell it from every other. */
export function plainNumber(value: number): string {
  const [mantissa, exponent] = String(value).split("e") as [string, string | undefined];
  if (exponent === undefined) return mantissa;
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole, fraction = ""] = mantissa.slice(sign.length).split(".") as [string, string | undefined];
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  return point > 0 ? sign + digits.padEnd(point, "0") : `${sign}0.${"0".repeat(-point)}${digits}`;
}

/** As Go prints a value with %v. @source Go 1.23, package fmt */
export function goText(value: Value): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "number") return goFloat(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Uint8Array) return `[${value.join(" ")}]`;
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (!isObject(value)) return (value as { toJSON(): string }).toJSON();
  const names = Object.keys(value).sort();
  return `map[${names.map((name) => `${name}:${goText(value[name]!)}`).join(" ")}]`;
}

/** With an exponent below 0.0001 and from 1e21, of two digits at least. */
function goFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e21)) return plainNumber(value);
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}
