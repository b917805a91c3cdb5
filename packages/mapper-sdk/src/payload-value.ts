import {
  AppError,
  type ErrorCode,
  type ExactJson,
  isNumericType,
  type Json,
  type ParsedValue,
  sameValue,
  stringifyExact,
  type Value,
  type ValueType,
  valueFromJson,
  valueFromText,
  valueToJson,
  valueToText,
} from "@penstock/model";
import { type Conversion, conversion } from "./conversion.ts";
import { compileJsonPath, lookUp } from "./json-path.ts";
import type { Payload } from "./payload.ts";
import type { PayloadSettings } from "./payload-fields.ts";
import { type Filling, type Names, payloadTemplate } from "./template.ts";

/** What a payload says of one property. `missing`: it does not speak of it at all. */
export type Said = { readonly value: Value; readonly reason?: ErrorCode; readonly missing?: true };

const bad = (reason: ErrorCode): Said => ({ value: null, reason });
const numberText = /^-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?$/;

/**
 * Makes what takes a property's value out of payloads. A value that does not fit is null with a reason, never bent; numbers
 * written as texts are numbers, since many devices write them so.
 *
 * @throws AppError mapper/bad-address, mapper/unsupported when the settings contradict the type
 */
export function payloadReader(settings: PayloadSettings, type: ValueType): (payload: Payload) => Said {
  const { format } = settings;
  if (format === "bytes") {
    return ({ bytes }) => said(valueFromJson("bytes", valueToJson("bytes", bytes)));
  }
  const leaf = leafReader(settings, type);
  const path = compileJsonPath(settings.path);
  return (payload) => {
    try {
      if (format === "text") return leaf(type === "json" ? payload.json : payload.text);
      const found = lookUp(payload.json, path);
      return found === undefined ? { ...bad("mapper/bad-answer"), missing: true } : leaf(found);
    } catch (error) {
      if (error instanceof AppError) return bad(error.code);
      throw error;
    }
  };
}

function leafReader(settings: PayloadSettings, type: ValueType): (leaf: ExactJson) => Said {
  const { on, off } = settings;
  if (type === "bool") return (leaf) => boolOf(leaf, on, off);
  if (type === "json") return (leaf) => said(valueFromJson("json", plain(leaf)));
  if (!isNumericType(type)) return (leaf) => said(valueFromJson(type, plain(leaf)));
  const scaled = scaling(settings, type);
  return (leaf) => {
    const text = typeof leaf === "string" ? leaf.trim() : null;
    if (scaled === null) {
      if (text !== null) return said(valueFromText(type, text));
      if (typeof leaf === "bigint" && !type.endsWith("int64")) return said(valueFromText(type, String(leaf)));
      return said(valueFromJson(type, typeof leaf === "bigint" ? String(leaf) : plain(leaf)));
    }
    const isNumber = text === null ? typeof leaf === "number" || typeof leaf === "bigint" : numberText.test(text);
    if (!isNumber) return bad("mapper/bad-answer");
    const number = Number(text ?? leaf);
    const value = scaled.toValue(number);
    return value === null ? bad(scaled.reasonFor(number)) : { value };
  };
}

function boolOf(leaf: ExactJson, on: string | undefined, off: string | undefined): Said {
  // JSON's own need no words; those may be for setting only.
  if (typeof leaf === "boolean") return { value: leaf };
  const word = typeof leaf === "string" ? leaf.trim() : stringifyExact(leaf);
  if (on !== undefined || off !== undefined) {
    if (word === on) return { value: true };
    if (word === off) return { value: false };
    return bad("mapper/bad-answer");
  }
  if (word === "true" || word === "1") return { value: true };
  return word === "false" || word === "0" ? { value: false } : bad("mapper/bad-answer");
}

/**
 * Makes what puts a property's value into a payload.
 *
 * @param template  see `payloadTemplate`; the value alone when missing
 * @throws AppError mapper/unsupported; what it made throws mapper/value-out-of-range for a value that is not of the type
 */
export function payloadWriter(
  settings: PayloadSettings & { readonly template?: string | undefined },
  type: ValueType,
): (value: Value, names: Names) => Uint8Array {
  const { format, template } = settings;
  if (format === "bytes" && template === undefined) {
    return (value) => {
      checkFits(type, value);
      return value as Uint8Array; // of type bytes, says the line above; other types the rules refuse
    };
  }
  const kind = format === "json" ? "json" : "text";
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of ours
  const fill = payloadTemplate(template ?? (kind === "json" ? "${value}" : "${text}"), kind);
  const fillingOf = valueFiller(settings, type);
  return (value, names) => new TextEncoder().encode(fill(fillingOf(value), names));
}

/** What stands for a property's value where a device wants it. @throws as `payloadWriter` */
export function valueFiller(settings: PayloadSettings, type: ValueType): (value: Value) => Filling {
  const { on, off } = settings;
  const scaled = scaling(settings, type);
  return (value) => {
    checkFits(type, value);
    const word = value === true ? on : value === false ? off : undefined;
    if (word !== undefined) return { json: JSON.stringify(word), text: word };
    if (scaled !== null) {
      const text = stringifyExact(scaled.toRaw(value));
      return { json: text, text };
    }
    // A device wants 64-bit integers as digits; the text within quotes is ours alone.
    const json = typeof value === "bigint" ? value.toString() : stringifyExact(valueToJson(type, value));
    return { json, text: valueToText(type, value) };
  };
}

function scaling({ scale, offset }: PayloadSettings, type: ValueType): Conversion | null {
  if ((scale === 1 && offset === 0) || !isNumericType(type)) return null;
  return conversion({ raw: "float64", type, scale, offset });
}

function checkFits(type: ValueType, value: Value): void {
  if (value !== null && isOfType(type, value)) return;
  throw new AppError(
    "mapper/value-out-of-range",
    `Cannot write ${stringifyExact(value)}: not a value of type "${type}"`,
  );
}

function isOfType(type: ValueType, value: Value): boolean {
  const wanted = type === "float32" && typeof value === "number" ? Math.fround(value) : value;
  if (typeof value === "bigint" && !type.endsWith("int64")) return false;
  const parsed = valueFromJson(type, valueToJson(type, value));
  return parsed.ok && sameValue(parsed.value, wanted);
}

function said(parsed: ParsedValue): Said {
  if (parsed.ok) return { value: parsed.value };
  return bad(parsed.code === "twin/out-of-range" ? "mapper/value-out-of-range" : "mapper/bad-answer");
}

/** JSON as everybody has it: what is beyond 2^53 is rounded, as every reader of JSON does. */
function plain(json: ExactJson): Json {
  if (typeof json === "bigint") return Number(json);
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(plain);
  return Object.fromEntries(Object.entries(json).map(([key, inner]) => [key, plain(inner)]));
}
