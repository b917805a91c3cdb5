import { type JsonSchema, type MapperManifest, parseManifest } from "./mapper-manifest.ts";
import { isSafePattern } from "./safe-pattern.ts";
import { isQuickShorthand } from "./shorthand.ts";
import type { Json } from "./value.ts";

/**
 * Reads a manifest that a gateway told of. What stands in it was written by somebody whom nobody here knows, and it decides
 * about what others send: so its schemas are brought to what can be checked quickly whatever they say. A part that is left
 * out here makes the check at the door milder, never stricter; the mapper itself checks all of it again.
 *
 * @throws AppError input/too-large, input/invalid as `parseManifest`
 */
export function parseToldManifest(text: string): MapperManifest {
  const manifest = parseManifest(text);
  const { method, custom, cost, shorthands } = manifest;
  return {
    ...manifest,
    connection: quickSchema(manifest.connection),
    address: quickSchema(manifest.address),
    visitor: quickSchema(manifest.visitor),
    method: method === null ? null : quickSchema(method),
    custom: custom === null ? null : quickSchema(custom),
    ...(shorthands !== undefined && { shorthands: shorthands.filter(isQuickShorthand) }),
    // Planning reads looks at as many points for each as one question may hold.
    cost: cost?.reads.every(({ maxLength }) => maxLength <= mostPlaces) === true ? cost : null,
  };
}

const annotations = ["title", "description", "unit", "default", "examples", "deprecated"];
const rules = [
  ...["type", "enum", "const", "properties", "required", "additionalProperties", "items", "minItems", "maxItems"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["minLength", "maxLength", "pattern", "format"],
];
const types = ["string", "number", "integer", "boolean", "object", "array", "null"];
// "password" checks nothing: it says what is to be kept secret.
const formats = ["uri", "ipv4", "ipv6", "password"];
const propertyName = /^(?!__proto__$)[A-Za-z_$][A-Za-z0-9_$.-]{0,63}$/;
const mostDepth = 8;
const mostFields = 2000;
const mostPlaces = 4096;

function quickSchema(schema: JsonSchema): JsonSchema {
  const budget = { fields: mostFields };
  const quick = quickOf(schema, mostDepth, budget);
  // Settings are objects, whatever else they are.
  return { ...quick, type: "object", properties: isMap(quick.properties) ? quick.properties : {} };
}

/** {} takes anything */
function quickOf(schema: Json | undefined, depth: number, budget: { fields: number }): JsonSchema {
  budget.fields -= 1;
  if (!isMap(schema) || depth === 0 || budget.fields < 0) return {};
  const kept: Record<string, Json> = {};
  for (const word of annotations) if (schema[word] !== undefined) kept[word] = schema[word];
  const { type } = schema;
  const isType =
    typeof type === "string"
      ? types.includes(type)
      : isListOf(type, (one) => types.includes(String(one))) && type.length > 0;
  if (isType && type !== undefined) kept.type = type;
  // A word that is not known may widen what another says, so neither counts.
  if (Object.keys(schema).some((word) => !rules.includes(word) && !annotations.includes(word))) return kept;
  for (const [word, value] of Object.entries(schema)) {
    if (word === "properties") Object.assign(kept, quickProperties(schema, depth, budget));
    else if (word === "items") kept.items = quickOf(value, depth - 1, budget);
    else if (isQuick(word, value)) kept[word] = value;
  }
  return kept;
}

function quickProperties(schema: JsonSchema, depth: number, budget: { fields: number }): Record<string, Json> {
  const { properties, required, additionalProperties } = schema;
  if (!isMap(properties) || !Object.keys(properties).every((name) => propertyName.test(name))) return {};
  return {
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, one]) => [name, quickOf(one, depth - 1, budget)]),
    ),
    ...(isListOf(required, (name) => typeof name === "string" && Object.hasOwn(properties, name)) && { required }),
    ...(additionalProperties === false && { additionalProperties }),
  };
}

/** Whether a word and its value may stand as they are; those of objects and lists of more are not asked. */
function isQuick(word: string, value: Json): boolean {
  switch (word) {
    case "enum":
      return isListOf(value, isSimple);
    case "const":
      return isSimple(value);
    case "pattern":
      return typeof value === "string" && isSafePattern(value);
    case "format":
      return formats.includes(String(value));
    case "multipleOf":
      return typeof value === "number" && value > 0;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
    case "minLength":
    case "maxLength":
    case "minItems":
    case "maxItems":
      return typeof value === "number";
    default:
      return false;
  }
}

function isSimple(value: Json): boolean {
  return value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string";
}

function isListOf(value: Json | undefined, of: (item: Json) => boolean): value is Json[] {
  return Array.isArray(value) && value.length <= mostFields && value.every(of);
}

function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
