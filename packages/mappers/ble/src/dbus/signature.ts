import { broken } from "./broken.ts";

/** A type of D-Bus, taken apart. `align` is where its values begin: a multiple of so many bytes. */
export type DBusType =
  | { readonly is: "basic"; readonly code: string; readonly align: number }
  | { readonly is: "variant"; readonly align: 1 }
  | { readonly is: "array"; readonly of: DBusType; readonly align: 4 }
  | { readonly is: "dict"; readonly key: DBusType; readonly value: DBusType; readonly align: 4 }
  | { readonly is: "struct"; readonly fields: readonly DBusType[]; readonly align: 8 };

/** D-Bus Specification 0.43, "Type System": alignment of each basic type */
const basic: ReadonlyMap<string, number> = new Map(
  Object.entries({ y: 1, b: 4, n: 2, q: 2, i: 4, u: 4, x: 8, t: 8, d: 8, s: 4, o: 4, g: 1, h: 4 }),
);
const mostChars = 255;
const mostDepth = 32;
const mostKnown = 256;
const known = new Map<string, readonly DBusType[]>();

/**
 * The types that a signature lists, such as "sa{sv}as".
 *
 * @throws AppError mapper/bad-answer when it is none
 * @source D-Bus Specification 0.43, "Type System"
 */
export function typesOf(signature: string): readonly DBusType[] {
  const before = known.get(signature);
  if (before !== undefined) return before;
  if (signature.length > mostChars) throw broken(`a signature of ${signature.length} characters`);
  const types: DBusType[] = [];
  for (let at = 0; at < signature.length; ) {
    const [type, next] = typeAt(signature, at, 0);
    types.push(type);
    at = next;
  }
  // Signatures come from whoever sends signals: the memory of them has a bound.
  if (known.size >= mostKnown) known.clear();
  known.set(signature, types);
  return types;
}

function typeAt(signature: string, at: number, depth: number): [DBusType, number] {
  if (depth > mostDepth) throw broken("a signature nested too deep");
  const code = signature[at] ?? "";
  if (code === "v") return [{ is: "variant", align: 1 }, at + 1];
  const align = basic.get(code);
  if (align !== undefined) return [{ is: "basic", code, align }, at + 1];
  if (code === "a" && signature[at + 1] === "{") {
    const [key, valueAt] = typeAt(signature, at + 2, depth + 1);
    const [value, end] = typeAt(signature, valueAt, depth + 1);
    if (key.is !== "basic" || signature[end] !== "}") throw broken(`the signature "${signature}"`);
    return [{ is: "dict", key, value, align: 4 }, end + 1];
  }
  if (code === "a") {
    const [of, end] = typeAt(signature, at + 1, depth + 1);
    return [{ is: "array", of, align: 4 }, end];
  }
  if (code !== "(") throw broken(`the signature "${signature}"`);
  const fields: DBusType[] = [];
  let next = at + 1;
  while (signature[next] !== ")") {
    const [field, end] = typeAt(signature, next, depth + 1);
    fields.push(field);
    next = end;
  }
  // An empty struct would let an array of nothing go on for ever.
  if (fields.length === 0) throw broken(`the signature "${signature}"`);
  return [{ is: "struct", fields, align: 8 }, next + 1];
}
