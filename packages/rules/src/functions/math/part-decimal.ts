import { effort } from "../../run/effort.ts";

/** digits × 10^-places, exactly. */
export interface Decimal {
  readonly digits: bigint;
  readonly places: number;
}

/** Units of work: it may have hundreds of digits. */
const longNumber = 100;

/** How a number is cut: to the nearest, of two equally near the one away from zero or the even one; or towards zero. */
export type Cut = "halfAway" | "halfEven" | "towardsZero";

/** As people write it: of all decimals that are read as this float the shortest. Finite only. */
export function writtenDecimal(x: number | bigint): Decimal {
  if (typeof x === "bigint") return { digits: x, places: 0 };
  const [mantissa, exponent] = x.toExponential().split("e") as [string, string];
  const fraction = mantissa.split(".")[1] ?? "";
  return { digits: BigInt(mantissa.replace(".", "")), places: fraction.length - Number(exponent) };
}

/** What a float is to the last bit: 0.1 is a little more than 0.1. Finite only. */
export function exactDecimal(x: number): Decimal {
  effort.spend(longNumber);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const stored = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const mantissa = stored === 0 ? fraction : fraction | (1n << 52n);
  const power = (stored === 0 ? 1 : stored) - 1075;
  const size = power >= 0 ? mantissa << BigInt(power) : mantissa * 5n ** BigInt(-power);
  return { digits: x < 0 ? -size : size, places: power >= 0 ? 0 : -power };
}

/** More places than any float has. */
const most = 1100;

/** @returns with so many places, or with fewer where it has no more; below 0: tens, hundreds … */
export function cutDecimal(decimal: Decimal, wanted: number, cut: Cut): Decimal {
  effort.spend(longNumber);
  const places = Math.max(-most, Math.min(most, wanted));
  if (decimal.places <= places) return decimal;
  const unit = 10n ** BigInt(decimal.places - places);
  const whole = decimal.digits / unit;
  const rest = decimal.digits % unit;
  const twice = 2n * (rest < 0n ? -rest : rest);
  const isAway = twice > unit || (twice === unit && (cut === "halfAway" || whole % 2n !== 0n));
  if (cut === "towardsZero" || !isAway) return { digits: whole, places };
  return { digits: whole + (decimal.digits < 0n ? -1n : 1n), places };
}

/** The float nearest to it. */
export function floatOf({ digits, places }: Decimal): number {
  return Number(`${digits}e${-places}`);
}

/** "-12.50": no exponent, at least so many places. */
export function plainDecimal({ digits, places }: Decimal, least = 0): string {
  const size = (digits < 0n ? -digits : digits).toString();
  const sign = digits < 0n ? "-" : "";
  if (places <= 0) return `${sign}${digits === 0n ? "0" : size + "0".repeat(-places)}${fractionOf("", least)}`;
  const padded = size.padStart(places + 1, "0");
  return `${sign}${padded.slice(0, -places)}${fractionOf(padded.slice(-places), least)}`;
}

function fractionOf(digits: string, least: number): string {
  const text = digits.padEnd(least, "0");
  return text === "" ? "" : `.${text}`;
}
