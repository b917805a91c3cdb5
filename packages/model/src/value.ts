/** The types a property can have after scaling. The order is the order of columns in a batch; never reorder, only append. */
export const valueTypes = [
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float32",
  "float64",
  "string",
  "bytes",
  "json",
] as const;
export type ValueType = (typeof valueTypes)[number];

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON whose integers beyond 2^53 are kept as bigint: what people put into `custom` blocks. */
export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ExactJson[]
  | { readonly [key: string]: ExactJson };

/**
 * One value, typed end to end: bool → boolean; int64, uint64 → bigint; other numbers → number; string → string;
 * bytes → Uint8Array; json → Json (tagged, so that a JSON string is not mistaken for text). Null only with quality bad.
 */
export type Value = boolean | number | bigint | string | Uint8Array | { readonly json: Json } | null;

export const integerBounds = {
  int8: [-128n, 127n],
  int16: [-32768n, 32767n],
  int32: [-2147483648n, 2147483647n],
  int64: [-9223372036854775808n, 9223372036854775807n],
  uint8: [0n, 255n],
  uint16: [0n, 65535n],
  uint32: [0n, 4294967295n],
  uint64: [0n, 18446744073709551615n],
} as const satisfies Partial<Record<ValueType, readonly [bigint, bigint]>>;

export type IntegerType = keyof typeof integerBounds;
export function isIntegerType(type: ValueType): type is IntegerType {
  return type in integerBounds;
}
export function isNumericType(type: ValueType): boolean {
  return isIntegerType(type) || type === "float32" || type === "float64";
}
