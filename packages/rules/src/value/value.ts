/** A moment: whole microseconds since 1970 UTC. */
export class Instant {
  readonly micros: number;

  constructor(micros: number) {
    this.micros = micros;
  }

  /** As eKuiper tells time everywhere: whole milliseconds. */
  get ms(): number {
    return Math.floor(this.micros / 1000);
  }

  toJSON(): string {
    return new Date(this.ms).toISOString();
  }
}

/**
 * What an expression gives. An integer of 64 bits is a bigint, a float a number, so that a value knows its arithmetic:
 * 7 / 2 is 3, 7.0 / 2 is 3.5. Values never change once made.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Instant
  | readonly Value[]
  | { readonly [name: string]: Value };

export type ObjectValue = { readonly [name: string]: Value };

export type ValueKind = "null" | "boolean" | "bigint" | "float" | "string" | "bytea" | "datetime" | "array" | "struct";

/** The name that the dialect has for what this is. */
export function kindOf(value: Value): ValueKind {
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "bigint":
      return "bigint";
    case "number":
      return "float";
    case "string":
      return "string";
    default:
  }
  if (value === null || value === undefined) return "null";
  if (value instanceof Instant) return "datetime";
  if (value instanceof Uint8Array) return "bytea";
  return Array.isArray(value) ? "array" : "struct";
}

export function isObject(value: Value): value is ObjectValue {
  return kindOf(value) === "struct";
}

const shownChars = 60;

/** Short enough for a message, however much there is. */
export function shown(value: Value): string {
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, shownChars)) : printed(value, 0);
  return text.length > shownChars ? `${text.slice(0, shownChars - 3)}…` : text;
}

function printed(value: Value, depth: number): string {
  switch (kindOf(value)) {
    case "string":
      return JSON.stringify((value as string).slice(0, shownChars));
    case "bytea":
      return `${(value as Uint8Array).length} bytes`;
    case "datetime":
      return (value as Instant).toJSON();
    case "array":
    case "struct":
      break;
    default:
      return String(value);
  }
  const isArray = Array.isArray(value);
  const [open, close] = isArray ? ["[", "]"] : ["{", "}"];
  if (depth > 3) return `${open}…${close}`;
  let text = open;
  for (const name in value as ObjectValue) {
    if (text.length > shownChars) break;
    if (text.length > 1) text += ",";
    text += `${isArray ? "" : `${JSON.stringify(name.slice(0, shownChars))}:`}${printed((value as ObjectValue)[name]!, depth + 1)}`;
  }
  return text + close;
}
