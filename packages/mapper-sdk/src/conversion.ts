import {
  AppError,
  type ErrorCode,
  integerBounds,
  isIntegerType,
  isNumericType,
  type Value,
  type ValueType,
} from "@penstock/model";
import type { RawType } from "./field.ts";

/** A number as it lies in the device: 64-bit integers are bigint, bits are boolean. */
export type RawValue = number | bigint | boolean;

export interface ConversionOptions {
  readonly raw: RawType | "bit";
  readonly type: ValueType;
  /** engineering units per count; 1 unless stated */
  readonly scale?: number;
  /** engineering units at count 0; 0 unless stated */
  readonly offset?: number;
}

/** Raw value ↔ value of a property. Made once per point, used once per reading. */
export interface Conversion {
  /** null when the raw value has no value of the type; `reasonFor` says why */
  toValue(raw: RawValue): Value;
  reasonFor(raw: RawValue): ErrorCode;
  /** @throws AppError mapper/value-out-of-range when it does not fit the raw type, or is not of the property's type */
  toRaw(value: Value): RawValue;
}

/**
 * Makes the conversion between what a device holds and what a property is: value = raw × scale + offset.
 *
 * Scales are taken as the decimal that people wrote, so that 3 × 0.1 is 0.3, not 0.30000000000000004. 64-bit integers
 * stay exact unless a scale or offset with a fraction forces them through float64. Integers are rounded half up; what
 * then does not fit is refused, never cut.
 *
 * @throws AppError mapper/unsupported when no such conversion exists
 */
export function conversion(options: ConversionOptions): Conversion {
  const { raw, type, scale = 1, offset = 0 } = options;
  if (type !== "bool" && !isNumericType(type)) {
    throw new AppError("mapper/unsupported", `Cannot convert a "${raw}" to "${type}": only bool and numbers`);
  }
  if (scale === 0 || !Number.isFinite(scale) || !Number.isFinite(offset)) {
    throw new AppError(
      "mapper/unsupported",
      `Cannot scale by ${scale} with offset ${offset}: need finite, scale not 0`,
    );
  }
  const isPlain = scale === 1 && offset === 0;
  if (type === "bool" || raw === "bit") return boolConversion(raw, type, isPlain);
  return { ...reading(raw, type, linear(scale, offset)), toRaw: writing(raw, type, linear(scale, offset)) };
}

function boolConversion(raw: RawType | "bit", type: ValueType, isPlain: boolean): Conversion {
  if (!isPlain) throw new AppError("mapper/unsupported", `Cannot scale a "${raw}" that is read as "${type}"`);
  const one = raw === "int64" || raw === "uint64" ? 1n : 1;
  const zero = one === 1n ? 0n : 0;
  const asBig = type === "int64" || type === "uint64";
  return {
    toValue: (given) => {
      const isSet = given !== false && given !== 0 && given !== 0n;
      if (type === "bool") return isSet;
      return asBig ? BigInt(isSet) : Number(isSet);
    },
    reasonFor: () => "mapper/value-out-of-range",
    toRaw: (value) => {
      const isSet = value === true || value === 1 || value === 1n;
      if (!isSet && value !== false && value !== 0 && value !== 0n) throw refused(value, type, "need true or false");
      if (raw === "bit") return isSet;
      return isSet ? one : zero;
    },
  };
}

/** value = (raw × n + m) ÷ d, with whole n, m, d taken from the decimals, so that one rounding happens, at the end. */
interface Linear {
  readonly n: number;
  readonly m: number;
  readonly d: number;
  readonly isPlain: boolean;
}

function linear(scale: number, offset: number): Linear {
  const isPlain = scale === 1 && offset === 0;
  const digits = Math.max(decimals(scale), decimals(offset));
  const d = 10 ** digits;
  const n = Math.round(scale * d);
  const m = Math.round(offset * d);
  // Beyond 10^15 a float64 no longer holds the whole numbers: scale in floating point, as written.
  if (digits > 15 || !Number.isSafeInteger(n) || !Number.isSafeInteger(m))
    return { n: scale, m: offset, d: 1, isPlain };
  return { n, m, d, isPlain };
}

function decimals(x: number): number {
  const match = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(x));
  return Math.max(0, (match?.[1]?.length ?? 0) - Number(match?.[2] ?? 0));
}

function reading(raw: RawType, type: ValueType, line: Linear): Pick<Conversion, "toValue" | "reasonFor"> {
  const { n, m, d, isPlain } = line;
  const isFloat = raw === "float32" || raw === "float64";
  const reasonFor = (given: RawValue): ErrorCode =>
    isFloat && !Number.isFinite(given) ? "mapper/value-not-finite" : "mapper/value-out-of-range";
  if (isIntegerType(type)) {
    const [low, high] = integerBounds[type];
    const asBig = type === "int64" || type === "uint64";
    const whole = Number.isInteger(n) && Number.isInteger(m) && d === 1;
    if (whole && (asBig || raw === "int64" || raw === "uint64") && !isFloat) {
      const [bigN, bigM] = [BigInt(n), BigInt(m)];
      return {
        reasonFor,
        toValue: (given) => {
          const value = BigInt(given as number | bigint) * bigN + bigM;
          if (value < low || value > high) return null;
          return asBig ? value : Number(value);
        },
      };
    }
    const [min, max] = [Number(low), Number(high)];
    return {
      reasonFor,
      toValue: (given) => {
        const value = Math.round((Number(given) * n + m) / d);
        if (!Number.isFinite(value)) return null;
        if (!asBig) return value >= min && value <= max ? value : null;
        const big = BigInt(value);
        return big >= low && big <= high ? big : null;
      },
    };
  }
  const is32 = type === "float32";
  if (isPlain && isFloat && (!is32 || raw === "float32")) {
    return { reasonFor, toValue: (given) => (Number.isFinite(given) ? (given as number) : null) };
  }
  return {
    reasonFor,
    toValue: (given) => {
      const value = (Number(given) * n + m) / d;
      const stored = is32 ? Math.fround(value) : value;
      return Number.isFinite(stored) ? stored : null;
    },
  };
}

function writing(raw: RawType, type: ValueType, line: Linear): Conversion["toRaw"] {
  const { n, m, d, isPlain } = line;
  return (value) => {
    if (typeof value !== "number" && typeof value !== "bigint") throw refused(value, type, "need a number");
    if (isIntegerType(type)) {
      const [low, high] = integerBounds[type];
      if (typeof value === "number" && !Number.isInteger(value)) throw refused(value, type, "need a whole number");
      if (value < low || value > high) throw refused(value, type, `need ${low} to ${high}`);
    }
    if (raw === "float32" || raw === "float64") {
      const counts = isPlain ? Number(value) : (Number(value) * d - m) / n;
      const stored = raw === "float32" ? Math.fround(counts) : counts;
      if (!Number.isFinite(stored)) throw refused(value, raw, "need a finite number that it can hold");
      return stored;
    }
    const [low, high] = integerBounds[raw];
    const counts = toCounts(value, line);
    if (counts === null || counts < low || counts > high) {
      throw refused(
        value,
        raw,
        isPlain ? `need ${low} to ${high}` : `need ${low} to ${high} after scaling, got ${counts}`,
      );
    }
    return raw === "int64" || raw === "uint64" ? counts : Number(counts);
  };
}

/** The nearest whole count; null when there is none. */
function toCounts(value: number | bigint, { n, m, d, isPlain }: Linear): bigint | null {
  if (typeof value === "bigint") {
    if (isPlain) return value;
    const exact = value * BigInt(d) - (Number.isInteger(m) ? BigInt(m) : 0n);
    if (Number.isInteger(n) && Number.isInteger(m) && exact % BigInt(n) === 0n) return exact / BigInt(n);
  }
  const counts = Math.round((Number(value) * d - m) / n);
  return Number.isFinite(counts) ? BigInt(counts) : null;
}

function refused(value: Value, type: string, need: string): AppError {
  const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
  return new AppError("mapper/value-out-of-range", `Cannot write ${shown} as "${type}": ${need}`);
}
