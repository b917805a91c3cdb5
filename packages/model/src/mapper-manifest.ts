import Type, { type TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { Value as Check } from "typebox/value";
import { AppError, type FieldError } from "./errors.ts";
import { dnsLabel } from "./ids.ts";
import { limits } from "./limits.ts";
import { type LineCost, lineCostSchema } from "./line-cost.ts";
import { type Access, accesses } from "./resources/device.ts";
import { isSecretAt } from "./secret-fields.ts";
import { checkRules, fieldValue, type RuleContext } from "./settings-rules.ts";
import { checkShorthands, type Shorthand, shorthandSchema } from "./shorthand.ts";
import { hiddenSecret, isSecretName, shown } from "./shown.ts";
import { type Json, type ValueType, valueTypes } from "./value.ts";

/** Name of the file by which a mapper is found. */
export const manifestFile = "mapper.json";
export const manifestVersion = "penstock.dev/mapper/v1";

/** A JSON Schema of one object, as data: no code runs to check settings. @source JSON Schema 2020-12 */
export type JsonSchema = { readonly [key: string]: Json };

/** The sets of fields that a mapper asks for, each where people write it; `method` is the visitor of a method. */
export const settingsParts = ["connection", "address", "visitor", "method"] as const;
export type SettingsPart = (typeof settingsParts)[number];

/**
 * How long a point is, in units of its space: one number, what a field says, or by the value of a field, in turn. A field
 * that is missing has the property's type for its value.
 */
export type ExtentLength =
  | number
  | LengthOfField
  | {
      readonly field: string;
      readonly sizes: Readonly<Record<string, number | LengthOfField>>;
      readonly otherwise: ExtentLength;
    };
/** What a field says (1 when it is missing), in places of `times` units (1 unless stated), and `plus` units besides. */
export interface LengthOfField {
  readonly value: string;
  readonly times?: number;
  readonly plus?: number;
}

/** Which fields say where a point lies, so that overlaps are found without protocol code. Fields are "visitor.offset". */
export interface Extent {
  /** of several in one place the first counts that says something */
  readonly space: readonly (string | readonly string[])[];
  readonly start: string;
  readonly length: ExtentLength;
  /** places that a space has, from 0; no limit when left out */
  readonly size?: number;
  /** a field that names a part of a place, such as a bit of a register: different parts never overlap */
  readonly part?: string;
  /** a field that says how many parts from that one a point takes, such as bits; 1 when left out or missing */
  readonly partLength?: string;
  /** parts that a place has, from 0, such as 16 bits; no limit when left out */
  readonly partsOfPlace?: number;
}

/**
 * What a schema of single fields cannot say. Where `when.field` has one of the values (its default counts; null = it is
 * missing), the rest must hold. Fields are "connection.transport", "visitor.table".
 */
export interface SettingsRule {
  readonly when: { readonly field: string; readonly in: readonly Json[] };
  /** where this holds as well, the rule does not */
  readonly unless?: { readonly field: string; readonly in: readonly Json[] };
  /** must be there */
  readonly require?: readonly string[];
  /** must not be there */
  readonly refuse?: readonly string[];
  /** the property's access must be one of these */
  readonly access?: readonly Access[];
  /** the property's type must be one of these */
  readonly types?: readonly ValueType[];
  /** why, for people: "input registers cannot be written" */
  readonly because: string;
}

/** What a mapper is, for programs that do not load it: `mapper.json`, generated from `defineMapper`. */
export interface MapperManifest {
  readonly manifest: typeof manifestVersion;
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  /** versions of the driver contract it works with */
  readonly sdk: { readonly min: number; readonly max: number };
  /** the module, relative to mapper.json */
  readonly main: string;
  readonly connection: JsonSchema;
  readonly address: JsonSchema;
  readonly visitor: JsonSchema;
  /** settings of a method; null: its devices have none of their own */
  readonly method: JsonSchema | null;
  /** of further fields; null: taken as they are */
  readonly custom: JsonSchema | null;
  readonly rules: readonly SettingsRule[];
  /** texts that stand for several fields */
  readonly shorthands?: readonly Shorthand[];
  readonly extent: Extent | null;
  /** what reading costs its lines; null or missing: nobody can say beforehand */
  readonly cost?: LineCost | null;
  /** its devices tell changes by themselves: `collect: { subscribe: true }` */
  readonly subscribes?: boolean;
  /** its devices say what they have */
  readonly browses?: boolean;
  /** what the process may touch besides its pipe: "network", "serial", "files" … */
  readonly permissions: readonly string[];
}

const nothingFurther = { method: null, custom: null, rules: [] } as const;
const schemaObject = Type.Object({
  type: Type.Literal("object"),
  properties: Type.Record(Type.String(), Type.Unknown()),
});
const fieldPath = Type.String({ pattern: "^(connection|address|visitor|method)\\.[A-Za-z0-9_]+$" });
const versionNumber = Type.Integer({ minimum: 1 });
const lengthOrField = Type.Union([
  Type.Integer({ minimum: 1 }),
  Type.Object(
    {
      value: fieldPath,
      times: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
      plus: Type.Optional(Type.Integer({ minimum: 0, maximum: 64 })),
    },
    { additionalProperties: false },
  ),
]);
/** each turn looks at another field, so a few are enough */
const extentLength = [1, 2, 3].reduce<TSchema>(
  (otherwise) =>
    Type.Union([
      lengthOrField,
      Type.Object(
        {
          field: fieldPath,
          sizes: Type.Record(Type.String(), lengthOrField),
          otherwise,
        },
        { additionalProperties: false },
      ),
    ]),
  lengthOrField,
);

const ruleCondition = Type.Object(
  { field: fieldPath, in: Type.Array(Type.Unknown(), { minItems: 1 }) },
  { additionalProperties: false },
);

const manifestSchema = Type.Object(
  {
    manifest: Type.Literal(manifestVersion),
    name: Type.String({ pattern: dnsLabel.source }),
    summary: Type.String({ minLength: 1, maxLength: 1024 }),
    version: Type.String({ pattern: "^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$" }),
    sdk: Type.Object({ min: versionNumber, max: versionNumber }, { additionalProperties: false }),
    // Only below the manifest's own folder: a manifest must not make the host load a file from elsewhere.
    main: Type.String({ pattern: "^\\./([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\\.(ts|js|mjs)$" }),
    connection: schemaObject,
    address: schemaObject,
    visitor: schemaObject,
    // What most mappers have no use for may be left out of the file.
    method: Type.Optional(Type.Union([Type.Null(), schemaObject])),
    custom: Type.Optional(Type.Union([Type.Null(), schemaObject])),
    rules: Type.Optional(
      Type.Array(
        Type.Object(
          {
            when: ruleCondition,
            unless: Type.Optional(ruleCondition),
            require: Type.Optional(Type.Array(fieldPath)),
            refuse: Type.Optional(Type.Array(fieldPath)),
            access: Type.Optional(Type.Array(Type.Enum([...accesses]))),
            types: Type.Optional(Type.Array(Type.Enum([...valueTypes]))),
            because: Type.String({ minLength: 1, maxLength: 200 }),
          },
          { additionalProperties: false },
        ),
        { maxItems: 100 },
      ),
    ),
    shorthands: Type.Optional(Type.Array(shorthandSchema, { maxItems: 10 })),
    extent: Type.Union([
      Type.Null(),
      Type.Object({
        space: Type.Array(Type.Union([fieldPath, Type.Array(fieldPath, { minItems: 1, maxItems: 5 })])),
        start: fieldPath,
        length: extentLength,
        size: Type.Optional(Type.Integer({ minimum: 1 })),
        part: Type.Optional(fieldPath),
        partLength: Type.Optional(fieldPath),
        partsOfPlace: Type.Optional(Type.Integer({ minimum: 1 })),
      }),
    ]),
    cost: Type.Optional(Type.Union([Type.Null(), lineCostSchema])),
    subscribes: Type.Optional(Type.Boolean()),
    browses: Type.Optional(Type.Boolean()),
    permissions: Type.Array(Type.String({ pattern: "^[a-z]+$" })),
  },
  { additionalProperties: false },
);

/**
 * Reads a `mapper.json` from its text.
 *
 * @throws AppError input/too-large beyond 1 MiB; input/invalid with the fields otherwise
 */
export function parseManifest(text: string): MapperManifest {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > limits.manifestBytes) {
    throw new AppError("input/too-large", `Cannot read mapper manifest: ${bytes} bytes, limit ${limits.manifestBytes}`);
  }
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new AppError("input/invalid", "Cannot read mapper manifest: not JSON", { cause });
  }
  const fields = schemaErrors(manifestSchema, manifest, "mapper.json");
  if (fields.length > 0) {
    const which = fields.map((f) => `${f.field}: ${f.value}: ${f.rule}`).join("; ");
    throw new AppError("input/invalid", `Cannot read mapper manifest: ${which}`, { fields });
  }
  // The schema above has just said that it is one.
  return { ...nothingFurther, ...(manifest as Omit<MapperManifest, keyof typeof nothingFurther>) };
}

/** What stands where: settings of a connection, the address of a device, the visitor of a property. */
export type SettingsGiven = { readonly [part in SettingsPart]?: unknown };

/**
 * Checks settings against a mapper's schemas and rules: every field that breaks one, none when all is well. Touches
 * nothing but its arguments. Only the parts given are checked; `context` says what else a rule may look at.
 *
 * @param at how the user wrote each part, such as `{ visitor: "spec.properties.speed.visitor" }`
 */
export function checkAgainstManifest(
  manifest: Pick<MapperManifest, SettingsPart> & Partial<Pick<MapperManifest, "rules" | "shorthands">>,
  given: SettingsGiven,
  at: { readonly [part in SettingsPart]?: string } = {},
  context: RuleContext = {},
): FieldError[] {
  const fields: FieldError[] = [];
  for (const part of settingsParts) {
    if (!(part in given)) continue;
    const schema = manifest[part];
    if (schema === null)
      fields.push({ field: at[part] ?? part, value: shown(given[part]), rule: "the mapper has no methods" });
    else fields.push(...schemaErrors(schema, given[part] ?? {}, at[part] ?? part));
  }
  if (fields.length === 0) fields.push(...checkShorthands(manifest, given, at));
  // A field of a wrong type would make its rules say what nobody meant.
  if (fields.length > 0 || manifest.rules === undefined) return fields;
  return checkRules({ ...manifest, rules: manifest.rules }, given, at, context);
}

/**
 * Where a point lies by the mapper's declared extent; null when the mapper declares none or a field is missing.
 *
 * @param type  the property's own: it says how long a point is whose length field is left out
 */
export function extentOf(
  manifest: Pick<MapperManifest, "extent" | SettingsPart> & Partial<Pick<MapperManifest, "shorthands">>,
  given: SettingsGiven,
  type?: ValueType,
): { readonly space: string; readonly start: number; readonly length: number } | null {
  const { extent } = manifest;
  if (extent === null) return null;
  const start = fieldValue(manifest, given, extent.start);
  if (typeof start !== "number") return null;
  const space = extent.space.map((fields) => shown(firstValue(manifest, given, fields))).join(",");
  return { space, start, length: lengthOf(extent.length, (field) => fieldValue(manifest, given, field), type) };
}

function firstValue(
  manifest: Parameters<typeof fieldValue>[0],
  given: SettingsGiven,
  fields: string | readonly string[],
): unknown {
  for (const field of [fields].flat()) {
    const value = fieldValue(manifest, given, field);
    if (value !== undefined) return value;
  }
  return null;
}

function lengthOf(length: ExtentLength, fieldOf: (field: string) => unknown, type: ValueType | undefined): number {
  if (typeof length === "number") return length;
  if ("value" in length) {
    const value = fieldOf(length.value);
    return (typeof value === "number" ? value : 1) * (length.times ?? 1) + (length.plus ?? 0);
  }
  return lengthOf(length.sizes[String(fieldOf(length.field) ?? type)] ?? length.otherwise, fieldOf, type);
}

/** A device may have 10,000 visitors of one schema: compiled, the check of a good one takes a twentieth of the time. */
const validators = new WeakMap<object, Validator>();
function compiled(schema: object): Validator {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    validators.set(schema, validator);
  }
  return validator;
}

/**
 * Holds a value against a JSON Schema of one object: what breaks which rule, with the path below `at`. The value of a secret
 * is never told; what stands for a stored one breaks no rule of its field.
 */
export function schemaErrors(schema: object, value: unknown, at: string): FieldError[] {
  if (compiled(schema).Check(value)) return [];
  const fields: FieldError[] = [];
  for (const error of Check.Errors(schema as Parameters<typeof Check.Errors>[0], value)) {
    const path = at + error.instancePath.replaceAll("/", ".");
    const params = error.params as {
      requiredProperties?: string[];
      additionalProperties?: string[];
      allowedValues?: unknown[];
    };
    if (error.keyword === "boolean") continue; // additionalProperties says the same with the name
    if (error.keyword === "type" && isWideInteger(error.params, valueAt(value, error.instancePath))) continue;
    if (params.requiredProperties !== undefined) {
      for (const name of params.requiredProperties)
        fields.push({ field: `${path}.${name}`, value: shown(undefined), rule: "is required" });
    } else if (params.additionalProperties !== undefined) {
      const known = Object.keys((schema as { properties?: object }).properties ?? {});
      for (const name of params.additionalProperties) {
        const given = (valueAt(value, error.instancePath) as Record<string, unknown>)[name];
        fields.push({
          field: `${path}.${name}`,
          value: isSecretAt(schema, error.instancePath) ? "(hidden)" : shown(given, { field: name }),
          rule: `unknown field, known are ${known.join(", ")}`,
        });
      }
    } else {
      const given = valueAt(value, error.instancePath);
      const isSecret = isSecretAt(schema, error.instancePath) || error.instancePath.split("/").some(isSecretName);
      if (isSecret && given === hiddenSecret) continue;
      fields.push({ field: path, value: isSecret ? "(hidden)" : shown(given), rule: ruleOf(error) });
    }
  }
  return fields;
}

/** Integers beyond 2^53 come as bigint, which JSON Schema's own words do not know; bounds compare them as they are. */
function isWideInteger({ type }: { readonly type?: string | readonly string[] }, value: unknown): boolean {
  const wanted = [type].flat();
  return typeof value === "bigint" && (wanted.includes("integer") || wanted.includes("number"));
}

function ruleOf({ message, params }: { readonly message: string; readonly params: object }): string {
  const { allowedValues, format } = params as { allowedValues?: unknown[]; format?: string };
  if (allowedValues !== undefined) return `must be one of ${allowedValues.join(", ")}`;
  return format === "uri" ? "must be a URL such as http://host:port/path" : message;
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  // RFC 6901, 4: "~1" stands for "/", then "~0" for "~"
  for (const key of pointer.split("/").slice(1)) {
    value = (value as Record<string, unknown> | null | undefined)?.[key.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return value;
}
