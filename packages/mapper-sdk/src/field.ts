import type { Json, JsonSchema } from "@penstock/model";

/**
 * One setting, as data: what a form shows, what `mapper.json` says and what the checks demand all come from it. `Value`
 * is what the driver gets; `undefined` is part of it only for optional fields.
 */
export interface Field<Value> {
  readonly schema: JsonSchema;
  readonly optional: boolean;
  /** never set; carries the type */
  readonly value?: Value;
}
export type Fields = { readonly [name: string]: Field<unknown> };

/** What the driver gets for a set of fields, defaults filled in. */
export type Settings<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer V> ? V : never };

interface Common<V> {
  /** one sentence for people */
  readonly summary?: string;
  readonly unit?: string;
  readonly example?: V;
  /** taken when the field is missing */
  readonly default?: V;
  /** may be missing without a default */
  readonly optional?: boolean;
}
type Given<V, O> = O extends { readonly optional: true } ? V | undefined : V;

function field<V extends Json, O extends Common<V>>(rule: JsonSchema, options: O | undefined): Field<Given<V, O>> {
  const { summary, unit, example, default: fallback, optional = false } = options ?? ({} as Common<V>);
  return {
    optional,
    schema: {
      ...rule,
      ...(summary === undefined ? {} : { description: summary }),
      ...(unit === undefined ? {} : { unit }),
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(example === undefined ? {} : { examples: [example] }),
    },
  };
}

export interface TextOptions extends Common<string> {
  readonly minLength?: number;
  readonly maxLength?: number;
  /** ECMA-262 regular expression; must match somewhere, so anchor it */
  readonly pattern?: string;
}
export function text<const O extends TextOptions>(options?: O): Field<Given<string, O>> {
  const { minLength = 1, maxLength = 1024, pattern } = options ?? ({} as TextOptions);
  return field({ type: "string", minLength, maxLength, ...(pattern === undefined ? {} : { pattern }) }, options);
}

export interface UrlOptions extends Common<string> {
  /** such as ["http", "https"]; any unless stated */
  readonly schemes?: readonly string[];
}
/** An absolute URL. @source RFC 3986, 3 */
export function url<const O extends UrlOptions>(options?: O): Field<Given<string, O>> {
  const { schemes } = options ?? ({} as UrlOptions);
  const pattern = schemes === undefined ? {} : { pattern: `^(${schemes.join("|").replaceAll(".", "\\.")})://` };
  return field({ type: "string", format: "uri", maxLength: 2048, ...pattern }, options);
}

export interface NumberOptions extends Common<number> {
  readonly min?: number;
  readonly max?: number;
}
function bounds({ min, max }: NumberOptions = {}): JsonSchema {
  return { ...(min === undefined ? {} : { minimum: min }), ...(max === undefined ? {} : { maximum: max }) };
}
export function int<const O extends NumberOptions>(options?: O): Field<Given<number, O>> {
  return field({ type: "integer", ...bounds(options) }, options);
}
export function float<const O extends NumberOptions>(options?: O): Field<Given<number, O>> {
  return field({ type: "number", ...bounds(options) }, options);
}
export function bool<const O extends Common<boolean>>(options?: O): Field<Given<boolean, O>> {
  return field({ type: "boolean" }, options);
}

/** One of the words named: `oneOf("coil", "holding")`, or `oneOf(["coil", "holding"], { default: "holding" })`. */
export function oneOf<const W extends string>(...words: readonly W[]): Field<W>;
export function oneOf<const W extends string, const O extends Common<W>>(
  words: readonly W[],
  options: O,
): Field<Given<W, O>>;
export function oneOf(...given: readonly unknown[]): Field<unknown> {
  // The overloads allow nothing else: a list of words and options, or words.
  const [words, options] = Array.isArray(given[0]) ? (given as [string[], Common<string>]) : [given as string[], {}];
  return field({ type: "string", enum: words }, options);
}

/** A list of anything one field describes. */
export function list<V extends Json>(
  of: Field<V>,
  options: { readonly summary?: string; readonly maxItems?: number; readonly optional?: boolean } = {},
): Field<readonly V[]> {
  return field({ type: "array", items: of.schema, maxItems: options.maxItems ?? 1000 }, options) as Field<readonly V[]>;
}

/** Number types as they lie in a device's memory, before scaling. */
export const rawTypes = ["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"] as const;
export type RawType = (typeof rawTypes)[number];
export function rawType<const O extends Common<RawType>>(options?: O): Field<Given<RawType, O>> {
  return field({ type: "string", enum: [...rawTypes] }, options);
}

/** The JSON Schema of a set of fields: unknown ones are refused, those without default or `optional` are required. */
export function objectSchema(fields: Fields): JsonSchema {
  const names = Object.keys(fields);
  const required = names.filter((name) => !fields[name]!.optional && !("default" in fields[name]!.schema));
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, fields[name]!.schema])),
    required,
    additionalProperties: false,
  };
}

/** Fills in what is missing and has a default. The given settings have been checked before. */
export function withDefaults<F extends Fields>(fields: F, given: Readonly<Record<string, unknown>>): Settings<F> {
  const settings: Record<string, unknown> = { ...given };
  for (const [name, { schema }] of Object.entries(fields)) {
    if (settings[name] === undefined && "default" in schema) settings[name] = schema.default;
  }
  // The check against objectSchema(fields) is what makes this so; it runs before, on the same fields.
  return settings as Settings<F>;
}
