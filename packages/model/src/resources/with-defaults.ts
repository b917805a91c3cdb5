import { isObject, prototypeKeys } from "../is-object.ts";

/** Defaults below, own fields above: objects merge field by field, all else of `own` replaces. */
export function withDefaults(defaults: unknown, own: unknown): unknown {
  if (own === undefined) return defaults;
  if (!isObject(defaults) || !isObject(own)) return own;
  const merged: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(own)) {
    if (!prototypeKeys.has(key)) merged[key] = withDefaults(merged[key], value);
  }
  return merged;
}
