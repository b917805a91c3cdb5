import Type, { type Static } from "typebox";
import type { FieldError } from "./errors.ts";
import type { MapperManifest, SettingsGiven, SettingsPart } from "./mapper-manifest.ts";
import { isSafePattern } from "./safe-pattern.ts";
import { shownSetting } from "./secret-fields.ts";
import type { Json } from "./value.ts";

const field = Type.String({ pattern: "^(connection|address|visitor|method)\\.[A-Za-z0-9_]+$" });
const closed = { additionalProperties: false };

/**
 * A field that says in one text, as manuals print it, what other fields of its part say one by one: "DB10.DBD4" for area,
 * data block and offset. Data of a mapper's manifest, so that overlaps, loads and rules see the same fields either way.
 */
export const shorthandSchema = Type.Object(
  {
    field,
    forms: Type.Array(
      Type.Object(
        {
          like: Type.String({ minLength: 1, maxLength: 100, description: "an example, for people" }),
          pattern: Type.String({ minLength: 1, maxLength: 256, description: "of the whole text; ECMA-262, flag u" }),
          gives: Type.Array(field, { maxItems: 10, description: "what its groups stand for, in their order" }),
          sets: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        },
        closed,
      ),
      { minItems: 1, maxItems: 50 },
    ),
  },
  closed,
);
/** `sets`: fields whose value follows from the form itself */
export type Shorthand = Omit<Static<typeof shorthandSchema>, "forms"> & {
  readonly forms: readonly {
    readonly like: string;
    readonly pattern: string;
    readonly gives: readonly string[];
    readonly sets?: Readonly<Record<string, Json>>;
  }[];
};

type Manifest = Pick<MapperManifest, SettingsPart> & Partial<Pick<MapperManifest, "shorthands">>;

/** What a field says by a text that stands for it; undefined where none does. @param field "visitor.offset" */
export function shorthandValue(manifest: Manifest, given: SettingsGiven, field: string): Json | undefined {
  for (const shorthand of manifest.shorthands ?? []) {
    const text = written(given, shorthand.field);
    if (typeof text === "string") return fieldsOf(shorthand, text)?.[field];
  }
  return undefined;
}

/**
 * The fields that a text stands for, digits as numbers; null when it has none of the forms.
 *
 * @returns by their names, such as { "visitor.db": 10, "visitor.offset": 4 }
 */
export function fieldsOf({ forms }: Shorthand, text: string): Readonly<Record<string, Json>> | null {
  for (const { pattern, gives, sets = {} } of forms) {
    const match = compiled(pattern).exec(text);
    if (match === null) continue;
    const groups = gives.map((name, i) => [name, numberOr(match[i + 1])] as const);
    return { ...sets, ...Object.fromEntries(groups.filter(([, value]) => value !== undefined)) } as Record<
      string,
      Json
    >;
  }
  return null;
}

/** Texts that have no form, and fields that stand beside a text which says them already. */
export function checkShorthands(
  manifest: Manifest,
  given: SettingsGiven,
  at: { readonly [part in SettingsPart]?: string },
): FieldError[] {
  const fields: FieldError[] = [];
  const pathOf = (name: string) => {
    const [part, field] = name.split(".") as [SettingsPart, string];
    return `${at[part] ?? part}.${field}`;
  };
  for (const shorthand of manifest.shorthands ?? []) {
    const text = written(given, shorthand.field);
    if (typeof text !== "string") continue;
    const path = pathOf(shorthand.field);
    const found = fieldsOf(shorthand, text);
    if (found === null) {
      const like = shorthand.forms.map((form) => form.like).join(", ");
      fields.push({
        field: path,
        value: shownSetting(manifest, shorthand.field, text),
        rule: `must look like one of ${like}`,
      });
      continue;
    }
    for (const name of Object.keys(found)) {
      const value = written(given, name);
      if (value === undefined) continue;
      const rule = `cannot stand with ${path} ${shownSetting(manifest, shorthand.field, text)}: it says that already`;
      fields.push({ field: pathOf(name), value: shownSetting(manifest, name, value), rule });
    }
  }
  return fields;
}

/** Whether its patterns surely end quickly, whoever wrote them. */
export function isQuickShorthand({ forms }: Shorthand): boolean {
  return forms.every(({ pattern }) => isSafePattern(pattern));
}

const patterns = new Map<string, RegExp>();
const mostPatterns = 1000;

function compiled(pattern: string): RegExp {
  let known = patterns.get(pattern);
  if (known === undefined) {
    known = new RegExp(pattern, "u");
    if (patterns.size >= mostPatterns) patterns.clear();
    patterns.set(pattern, known);
  }
  return known;
}

function numberOr(text: string | undefined): Json | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function written(given: SettingsGiven, name: string): unknown {
  const [part, field] = name.split(".") as [SettingsPart, string];
  const settings = given[part] as Readonly<Record<string, unknown>> | null | undefined;
  return settings !== null && settings !== undefined && Object.hasOwn(settings, field) ? settings[field] : undefined;
}
