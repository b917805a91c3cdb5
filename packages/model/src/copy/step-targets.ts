/** Where a field stands in a document: keys from its root. */
export type FieldKeys = readonly string[];

/** What a property says of itself, so that "visitor.offset" can mean that of every property. */
const propertyParts = new Set([
  ...["visitor", "collect", "report", "publish", "custom", "minimum", "maximum", "unit"],
  ...["access", "type", "description", "localWrites"],
]);

/**
 * The fields of a document that a path means: "address.unitId", "labels.line" and "displayName" as they stand, "visitor.X"
 * and the like in every property that has it, "properties.P.visitor.X" in one, "*" for any key. Keys with dots in them are
 * found too.
 *
 * @param document  with metadata and the spec as it counts in the end, model included
 * @returns [] when it means nothing
 */
export function targetsOf(document: { readonly metadata: unknown; readonly spec: unknown }, path: string): FieldKeys[] {
  const steps = path.split(".");
  const [first = ""] = steps;
  if (first === "spec" || first === "metadata") return fieldsAt(document, steps);
  if (first === "labels" || first === "displayName") return fieldsAt(document, ["metadata", ...steps]);
  const own = fieldsAt(document, ["spec", ...steps]);
  return own.length > 0 || !propertyParts.has(first) ? own : fieldsAt(document, ["spec", "properties", "*", ...steps]);
}

/** "spec.address.unitId" → "address.unitId", as people write it */
export function pathText(keys: FieldKeys): string {
  return keys.slice(1).join(".");
}

/** Paths that hold a number or text with one, those of properties once for all of them; for people who missed theirs. */
export function steppable(spec: unknown): string[] {
  const found = new Set<string>();
  const walk = (node: unknown, keys: readonly string[]) => {
    if (typeof node === "object" && node !== null) {
      for (const [key, inner] of Object.entries(node)) walk(inner, [...keys, key]);
    } else if (typeof node !== "boolean" && /\d/.test(String(node))) {
      found.add((keys[0] === "properties" ? keys.slice(2) : keys).join("."));
    }
  };
  walk(spec, []);
  return [...found];
}

function fieldsAt(node: unknown, steps: readonly string[]): FieldKeys[] {
  if (steps.length === 0) return node === undefined ? [] : [[]];
  if (typeof node !== "object" || node === null) return [];
  const inner = node as Readonly<Record<string, unknown>>;
  if (steps[0] === "*") {
    return Object.keys(inner).flatMap((key) => fieldsAt(inner[key], steps.slice(1)).map((rest) => [key, ...rest]));
  }
  for (let length = 1; length <= steps.length; length++) {
    const key = steps.slice(0, length).join(".");
    if (!Object.hasOwn(inner, key)) continue;
    const found = fieldsAt(inner[key], steps.slice(length));
    if (found.length > 0) return found.map((rest) => [key, ...rest]);
  }
  return [];
}

export function valueAt(node: unknown, keys: FieldKeys): unknown {
  return keys.reduce<unknown>((here, key) => (here as Readonly<Record<string, unknown>> | undefined)?.[key], node);
}

/**
 * The same with one field replaced. What the document takes from its model it states itself where it must differ.
 *
 * @param whole  the document as it counts in the end: a list that it takes from there is taken whole
 */
export function withValue(node: unknown, whole: unknown, keys: FieldKeys, value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const base = node ?? (Array.isArray(whole) ? whole : {});
  const at = (from: unknown) => (from as Readonly<Record<string, unknown>> | undefined | null)?.[key];
  const next = withValue(at(base), at(whole), rest, value);
  if (Array.isArray(base)) return base.map((one, i) => (String(i) === key ? next : one));
  return { ...(base as object), [key]: next };
}
