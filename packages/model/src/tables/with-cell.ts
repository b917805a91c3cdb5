import type { Path } from "./columns.ts";

/** A value at a path of a document; undefined: nothing stands there. */
export interface Place {
  readonly path: Path;
  readonly value: unknown;
}

/**
 * The document with one field set, or taken away together with the objects that were left empty by that. An object that was
 * empty before stays.
 */
export function withCell(document: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const object = (typeof document === "object" && document !== null ? document : {}) as Readonly<
    Record<string, unknown>
  >;
  const before = Object.hasOwn(object, key) ? object[key] : undefined;
  if (value === undefined && before === undefined) return document;
  const after = rest.length === 0 ? value : withCell(before, rest, value);
  if (after === before) return document;
  if (after === undefined) {
    const { [key]: _, ...others } = object;
    return Object.keys(others).length === 0 ? undefined : others;
  }
  return { ...object, [key]: after };
}
