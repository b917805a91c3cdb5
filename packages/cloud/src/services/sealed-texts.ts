import { hiddenSecret, isObject, type SpecPath } from "@penstock/model";
import { sealedPrefix } from "@penstock/runtime";

/** Whether JSON text may have a sealed text in it: most specs have none, and are not looked through. */
export function mayHaveSealed(json: string): boolean {
  return json.includes(`"${sealedPrefix}`);
}

/** A value with something else in the place of each sealed text; undefined leaves a field out. */
export function mapSealed(
  value: unknown,
  change: (sealed: string, path: SpecPath) => unknown,
  path: SpecPath = [],
): unknown {
  if (typeof value === "string") return value.startsWith(sealedPrefix) ? change(value, path) : value;
  if (Array.isArray(value)) return value.map((item, i) => mapSealed(item, change, [...path, String(i)]) ?? null);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, mapSealed(inner, change, [...path, key])]);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

/** As everybody may see it: a mark stands for each sealed text. */
export function hidden<T>(value: T): T {
  // Texts stay texts.
  return mapSealed(value, () => hiddenSecret) as T;
}
