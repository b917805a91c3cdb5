import { AppError, type ErrorCode, errors, isHexId, type Ranges, valueTypes } from "@penstock/model";

/**
 * Small checks for messages that came over a wire: each narrows an unknown or throws "link/bad-frame" with the field's
 * path. MessagePack has no schema, so nothing of a message is believed before it went through one of these.
 */
export type Check<T> = (value: unknown, path: string) => T;

export function bad(path: string, rule: string): never {
  throw new AppError("link/bad-frame", `Cannot decode message: ${path}: ${rule}`);
}

export const isCounter: Check<number> = (value, path) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : bad(path, "a whole number from 0");

export const isBool: Check<boolean> = (value, path) =>
  typeof value === "boolean" ? value : bad(path, "true or false");

export const isBytes: Check<Uint8Array> = (value, path) => (value instanceof Uint8Array ? value : bad(path, "bytes"));

export function text<T extends string = string>(maxChars: number): Check<T> {
  return (value, path) =>
    typeof value === "string" && value.length <= maxChars
      ? // A brand says what the text stands for, not how it is made.
        (value as T)
      : bad(path, `text of at most ${maxChars} characters`);
}

export function hex32<T extends string>(): Check<T> {
  return (value, path) => (isHexId(value) ? (value as T) : bad(path, "32 hex digits"));
}

/** Codes of a newer version are not in our table; they are carried as `internal`. */
export const errorCode: Check<ErrorCode> = (value, path) => {
  const code = text(64)(value, path);
  return Object.hasOwn(errors, code) ? (code as ErrorCode) : "internal";
};

export function oneOf<const T extends string>(words: readonly T[]): Check<T> {
  return (value, path) =>
    (words as readonly unknown[]).includes(value) ? (value as T) : bad(path, `one of ${words.join(", ")}`);
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null || value === undefined ? null : check(value, path));
}

export function list<T>(check: Check<T>, maxLength: number): Check<T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > maxLength) return bad(path, `a list of at most ${maxLength}`);
    return value.map((item, i) => check(item, `${path}[${i}]`));
  };
}

/** A map whose unknown keys are left out. */
export function shape<T>(fields: { readonly [K in keyof T]: Check<T[K]> }): Check<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
      return bad(path, "a map");
    const source = value as Record<string, unknown>;
    const result: Partial<T> = {};
    for (const name of names) result[name] = fields[name](source[name], `${path}.${name}`);
    return result as T;
  };
}

/** Ascending, disjoint, never touching. */
export const ranges: Check<Ranges> = (value, path) => {
  let last = -2;
  return list((item, at): readonly [number, number] => {
    if (!Array.isArray(item) || item.length < 2) return bad(at, "[from, to]");
    const from = isCounter(item[0], at);
    const to = isCounter(item[1], at);
    if (from <= last + 1 || to < from) return bad(at, "ascending, not touching the range before");
    last = to;
    return [from, to];
  }, 100_000)(value, path);
};

export const valueType = oneOf(valueTypes);

/** How many keys of a message no version that we know has. */
export function unknownKeys(message: Readonly<Record<string, unknown>>, known: readonly string[]): number {
  let count = 0;
  for (const key of Object.keys(message)) if (key !== "t" && !known.includes(key)) count += 1;
  return count;
}
