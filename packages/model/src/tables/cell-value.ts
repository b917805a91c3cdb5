import { isWideFloat, parseExact, stringifyExact } from "../exact-json.ts";
import type { Cell } from "./sheet.ts";

/**
 * What a column holds.
 *
 *   text    text as it is
 *   any     text, number, true, false, or JSON: what a mapper's own fields may be
 *   number  a number
 *   bound   a number, or a 64-bit integer beyond 2^53
 *   flag    true or false
 *   times   times of day, "06:00, 18:00"
 *   object  JSON of one object
 */
export const cellKinds = ["text", "any", "number", "bound", "flag", "times", "object"] as const;
export type CellKind = (typeof cellKinds)[number];

/** Characters that XML 1.0 cannot hold, that spreadsheets change, or that XLSX reads as an escape of its own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are the ones that are looked for
const fragile = /[\u0000-\u0009\u000b-\u001f\ufffe\uffff]|\p{Cs}|_x[0-9a-fA-F]{4}_/u;

/**
 * A value as a cell. What a cell cannot say plainly (the empty text, text that begins with a quote, text that would be read
 * as a number) is JSON text in quotes, so that `cellToValue` gives back exactly what went in.
 */
export function valueToCell(kind: CellKind, value: unknown): Cell {
  if (typeof value === "string") {
    if (kind === "bound" && /^-?\d+$/.test(value) && !Number.isSafeInteger(Number(value))) return value;
    const isPlain = value !== "" && !value.startsWith('"') && !fragile.test(value);
    if (kind === "text") return isPlain ? value : quoted(value);
    return isPlain && parsed(value) === undefined ? value : quoted(value);
  }
  if (typeof value === "number") {
    // Spreadsheets keep 15 digits of a number for sure; the others travel as text.
    return Number(value.toPrecision(15)) === value && !isWideFloat(value) ? value : stringifyExact(value);
  }
  if (kind === "times" && Array.isArray(value)) return value.join(", ");
  const text = stringifyExact(value);
  return fragile.test(text) ? escaped(text) : text;
}

/** A cell that its column cannot hold; `rule` says what it can. */
class CellError extends Error {
  readonly rule: string;
  constructor(rule: string) {
    super(rule);
    this.rule = rule;
  }
}

/**
 * What a cell says.
 *
 * @param cell not null: a missing cell has no value
 * @throws CellError
 */
export function cellToValue(kind: CellKind, cell: Exclude<Cell, null>): unknown {
  const text = typeof cell === "string" ? cell : String(cell);
  if (typeof cell === "number" && kind === "any") return cell;
  switch (kind) {
    case "text":
      return text.startsWith('"') ? unquoted(text) : text;
    case "any":
      if (text.startsWith('"')) return unquoted(text);
      return (parsed(text) ?? { value: text }).value;
    case "number":
      return numberOf(text);
    case "bound":
      if (text.startsWith('"')) return unquoted(text);
      if (/^-?\d{1,20}$/.test(text) && !Number.isSafeInteger(Number(text))) return text;
      return numberOf(text);
    case "flag":
      if (/^true$/i.test(text) || text === "1") return true;
      if (/^false$/i.test(text) || text === "0") return false;
      throw new CellError("must be true or false");
    case "times":
      return text.split(/[\s,;]+/).filter((time) => time !== "");
    case "object": {
      const found = parsed(text)?.value;
      if (typeof found === "object" && found !== null && !Array.isArray(found)) return found;
      throw new CellError("must be a JSON object such as {}");
    }
  }
}

function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new CellError("must be a number");
  return value;
}

function unquoted(text: string): string {
  const found = parsed(text)?.value;
  if (typeof found !== "string") throw new CellError('text that begins with " must be a JSON string');
  return found;
}

function quoted(text: string): string {
  return escaped(JSON.stringify(text));
}

/** The same JSON without characters that do not travel. */
function escaped(json: string): string {
  return json.replaceAll(
    /[\ufffe\uffff]|_(?=x[0-9a-fA-F]{4}_)/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** undefined: the text is not JSON, or has a key that would reach an object's prototype */
function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = parseExact(text);
    return hasPrototypeKey(value) ? undefined : { value };
  } catch {
    return undefined;
  }
}

function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasPrototypeKey);
}
