import type { ExactJson } from "./value.ts";

/**
 * JSON whose integers beyond 2^53 are bigint, since a plain `JSON.parse` would change their last digits. A number that was
 * written with a fraction or an exponent stays a number, and is written with an exponent again.
 */

/** Only a text with so many digits before a point can hold an integer beyond 2^53. */
const manyDigits = /(?<![.\d])\d{16}/;
const integerText = /^-?\d+$/;

/** @throws SyntaxError when the text is not JSON */
export function parseExact(text: string): ExactJson {
  if (!manyDigits.test(text)) return JSON.parse(text) as ExactJson;
  return JSON.parse(text, ((_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context?.source ?? "";
    return integerText.test(source) ? BigInt(source) : value;
  }) as (this: unknown, key: string, value: unknown) => unknown) as ExactJson;
}

/** JSON.rawJSON puts a text into the output as it stands. @source ECMA-262, proposal "JSON.parse source text access" */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * The inverse of `parseExact`: `parseExact(stringifyExact(x))` is x for all that JSON can say.
 *
 * @param space  as of JSON.stringify
 */
export function stringifyExact(value: unknown, space?: number): string {
  const quick = withoutBigints(value, space);
  if (quick !== null && !manyDigits.test(quick)) return quick;
  return JSON.stringify(
    value,
    (_key, inner: unknown) => {
      if (typeof inner === "bigint") return rawJSON(inner.toString());
      // 1e20 would print as an integer and come back as bigint.
      if (typeof inner === "number" && isWideFloat(inner)) return rawJSON(inner.toExponential());
      return inner;
    },
    space,
  );
}

/** A number that prints as an integer beyond 2^53, although it is a floating point number. */
export function isWideFloat(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** Readers that make every integer a bigint: here those that a number holds exactly are numbers again. */
export function narrowIntegers(value: unknown): ExactJson {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (Array.isArray(value)) return value.map(narrowIntegers);
  if (typeof value !== "object" || value === null) return value as ExactJson;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, narrowIntegers(inner)]));
}

/**
 * Bounds of 64-bit integers are decimal text (a number does not hold them): here also those that were written as numbers.
 * `custom` blocks stay as they are.
 */
export function boundsAsText(document: ExactJson): ExactJson {
  if (Array.isArray(document)) return document.map(boundsAsText);
  if (typeof document !== "object" || document === null) return document;
  return Object.fromEntries(
    Object.entries(document).map(([key, inner]) => {
      if ((key === "minimum" || key === "maximum") && typeof inner === "bigint") return [key, inner.toString()];
      return [key, key === "custom" ? inner : boundsAsText(inner)];
    }),
  );
}

/** null when there is a bigint, which JSON.stringify refuses */
function withoutBigints(value: unknown, space: number | undefined): string | null {
  try {
    return JSON.stringify(value, null, space);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
