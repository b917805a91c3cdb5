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

/** Short enough for a message. */
export function shown(value: Value): string {
  const text = typeof value === "string" ? JSON.stringify(value) : toText(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function toText(value: Value): string {
  const plain = (_key: string, one: unknown) =>
    typeof one === "bigint" ? Number(one) : one instanceof Uint8Array ? `${one.length} bytes` : one;
  return typeof value === "bigint" ? String(value) : (JSON.stringify(value, plain) ?? "null");
}
