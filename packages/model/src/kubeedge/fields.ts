import { isObject } from "../is-object.ts";
import { shown } from "../shown.ts";
import type { Finding, FindingLevel } from "./finding.ts";

/** What is told of a field; who hands in the function knows the document. */
export type Tell = (finding: Omit<Finding, "document" | "index">) => void;
type Told = { readonly level: FindingLevel; readonly why: string; readonly todo?: string };

/**
 * One object of a document, read field by field. What nobody asked for is told at the end, so that no field is passed over
 * in silence.
 */
export class Fields {
  readonly path: string;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #add: Tell;
  readonly #taken = new Set<string>();
  readonly #children: Fields[] = [];

  constructor(value: unknown, path: string, add: Tell) {
    this.path = path;
    this.#add = add;
    this.#object = isObject(value) ? value : {};
    if (!isObject(value) && value !== undefined && value !== null) {
      this.#add({
        field: path,
        value: shown(value, { field: path, most: 60 }),
        level: "lossy",
        why: "is no map of fields",
        todo: "",
      });
    }
  }

  at(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }
  has(key: string): boolean {
    return Object.hasOwn(this.#object, key) && this.#object[key] !== undefined && this.#object[key] !== null;
  }
  /** names of fields that nobody has asked for yet */
  left(): string[] {
    return Object.keys(this.#object).filter((key) => !this.#taken.has(key) && this.has(key));
  }
  /** the field as it is, with all that is in it; undefined: it is not there */
  take(key: string): unknown {
    this.#taken.add(key);
    return this.has(key) ? this.#object[key] : undefined;
  }
  /** the same, without having asked for it */
  peek(key: string): unknown {
    return this.has(key) ? this.#object[key] : undefined;
  }
  text(key: string): string | undefined {
    const value = this.take(key);
    if (value === undefined || typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
    this.tell(key, { level: "lossy", why: "must be text" });
    return undefined;
  }
  /** also digits in quotes, as YAML files often have them */
  number(key: string): number | undefined {
    const value = this.take(key);
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (number === undefined || (typeof number === "number" && Number.isFinite(number))) return number;
    this.tell(key, { level: "lossy", why: "must be a number" });
    return undefined;
  }
  flag(key: string): boolean | undefined {
    const value = this.take(key);
    if (value === undefined || typeof value === "boolean") return value;
    if (value === "true" || value === "false") return value === "true";
    this.tell(key, { level: "lossy", why: "must be true or false" });
    return undefined;
  }
  /** the object in a field; one without fields when there is none */
  child(key: string): Fields {
    return this.#child(this.take(key), this.at(key));
  }
  /** the objects of a list */
  list(key: string): Fields[] {
    const value = this.take(key);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((one, i) => this.#child(one, `${this.at(key)}[${i}]`));
    this.tell(key, { level: "lossy", why: "must be a list" });
    return [];
  }
  /** the same object with other values below its own */
  over(defaults: Readonly<Record<string, unknown>>): Fields {
    const merged = { ...defaults, ...Object.fromEntries(this.left().map((key) => [key, this.take(key)])) };
    return this.#child(merged, this.path);
  }
  tell(key: string, { level, why, todo = "" }: Told): void {
    this.#add({ field: this.at(key), value: shown(this.#object[key], { field: key, most: 60 }), level, why, todo });
  }
  /**
   * Tells why the whole document has to be left out.
   *
   * @param value  what is wrong, where the field as it stands would show too much or too little of it
   */
  refuse(key: string, { why, todo, value = this.#object[key] }: Omit<Told, "level"> & { value?: unknown }): void {
    this.#add({
      ...{ field: this.at(key), value: shown(value, { field: key, most: 60 }), level: "refused" },
      ...{ why, todo: todo ?? "" },
    });
  }
  /** takes a field and tells of it, if it is there */
  lose(key: string, why: string, todo = ""): void {
    const value = this.take(key);
    if (value === undefined) return;
    for (const [field, leaf] of leaves(value, this.at(key))) {
      this.#add({ field, value: shown(leaf, { field, most: 60 }), level: "lossy", why, todo });
    }
  }
  /** tells of every field, at any depth, that nobody has asked for */
  end(): void {
    for (const child of this.#children) child.end();
    for (const key of this.left())
      this.lose(key, "Penstock knows no such field of KubeEdge", "leave it out, or put it into custom");
  }

  #child(value: unknown, path: string): Fields {
    const child = new Fields(value, path, this.#add);
    this.#children.push(child);
    return child;
  }
}

/** The values in a value, each with its path. */
function* leaves(value: unknown, path: string): Generator<readonly [string, unknown]> {
  if (Array.isArray(value) && value.length > 0)
    for (const [i, one] of value.entries()) yield* leaves(one, `${path}[${i}]`);
  else if (typeof value === "object" && value !== null && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) yield* leaves(inner, `${path}.${key}`);
  } else yield [path, value];
}
