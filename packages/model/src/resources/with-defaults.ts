/** Keys that would reach an object's prototype instead of the object. */
const forbidden = new Set(["__proto__", "constructor", "prototype"]);

/** Defaults below, own fields above: objects merge field by field, all else of `own` replaces. */
export function withDefaults(defaults: unknown, own: unknown): unknown {
  if (own === undefined) return defaults;
  if (!isObject(defaults) || !isObject(own)) return own;
  const merged: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(own)) {
    if (!forbidden.has(key)) merged[key] = withDefaults(merged[key], value);
  }
  return merged;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
