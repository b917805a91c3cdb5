import { AppError, type FieldError, invalid } from "./errors.ts";
import type { CallArgument } from "./method-call.ts";
import type { EffectiveArgument, EffectiveMethod } from "./resources/effective.ts";
import { shown } from "./shown.ts";
import type { Json, Value } from "./value.ts";
import { type CheckedProperty, checkDesired, desiredFromJson, desiredFromText } from "./value-check.ts";

/**
 * The arguments of a call, read from JSON and checked: known, required, type, range.
 *
 * @returns in the method's own order; optional ones that were not given are left out
 * @throws AppError input/invalid with one FieldError for each argument that breaks its rule
 */
export function argumentsFromJson(
  method: Pick<EffectiveMethod, "name" | "arguments">,
  given: Readonly<Record<string, unknown>>,
): CallArgument[] {
  // What came in as JSON is Json; a type that it does not fit is said by the check.
  return collect(method, new Set(Object.keys(given)), (argument, field) =>
    desiredFromJson(asProperty(argument), given[argument.name] as Json, field),
  );
}

/** As `argumentsFromJson`, from texts as people type them. */
export function argumentsFromText(
  method: Pick<EffectiveMethod, "name" | "arguments">,
  given: ReadonlyMap<string, string>,
): CallArgument[] {
  return collect(method, new Set(given.keys()), (argument, field) =>
    desiredFromText(asProperty(argument), given.get(argument.name)!, field),
  );
}

/** Checks arguments that are typed already, such as those that came over the link. @throws as `argumentsFromJson` */
export function checkArguments(
  method: Pick<EffectiveMethod, "name" | "arguments">,
  given: readonly CallArgument[],
): CallArgument[] {
  const byName = new Map(given.map((one) => [one.name, one]));
  return collect(method, new Set(byName.keys()), (argument, field) => {
    const { type, value } = byName.get(argument.name)!;
    checkDesired(asProperty(argument), type, value, field);
    return value;
  });
}

function collect(
  method: Pick<EffectiveMethod, "name" | "arguments">,
  names: ReadonlySet<string>,
  read: (argument: EffectiveArgument, field: string) => Value,
): CallArgument[] {
  const fields: FieldError[] = [];
  const found: CallArgument[] = [];
  const known = new Set(method.arguments.map(({ name }) => name));
  for (const name of names) {
    if (known.has(name)) continue;
    const rule = `"${method.name}" has no such argument: it takes ${[...known].join(", ") || "none"}`;
    fields.push({ field: `arguments.${name}`, value: "(given)", rule });
  }
  for (const argument of method.arguments) {
    const { name, type, isOptional } = argument;
    const field = `arguments.${name}`;
    if (!names.has(name)) {
      if (!isOptional) fields.push({ field, value: shown(undefined), rule: `is required: ${type}` });
      continue;
    }
    try {
      found.push({ name, type, value: read(argument, field) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      fields.push(...error.fields);
    }
  }
  if (fields.length > 0) throw invalid(fields);
  return found;
}

function asProperty({ name, type, minimum, maximum }: EffectiveArgument): CheckedProperty {
  return { name, type, minimum, maximum, access: "write" };
}
