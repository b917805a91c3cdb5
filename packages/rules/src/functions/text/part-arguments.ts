import { limits } from "@penstock/model";
import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import { checkArgument } from "../check-arguments.ts";
import type { Param } from "../define-function.ts";
import { countBytes } from "./part-characters.ts";
import { goText } from "./part-go-text.ts";

/** A text; in compat mode anything, as Go prints it, since eKuiper takes what comes. */
export const textOrAny = ["text", "any"] as const satisfies Param["is"];
/** Bytes or a text, which is UTF-8; in compat mode anything, as Go prints it, bytes too. */
export const dataOrAny = ["text", "bytes", "any"] as const satisfies Param["is"];

/** How an argument is named where it is refused. */
export interface Place {
  readonly name: string;
  readonly param: string;
  readonly mode: Mode;
}

/** Of a parameter that is `textOrAny`. @param value not null @throws RowError in strict mode for what is no text */
export function textOf(value: Value, { name, param, mode }: Place): string {
  if (typeof value === "string") return value;
  return mode === "compat" ? goText(value) : (checkArgument(name, { name: param, is: "text" }, value) as string);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function utf8Of(text: string): Uint8Array {
  return encoder.encode(text);
}

/** What is no UTF-8 becomes U+FFFD. */
export function textOfUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Of a parameter that is `dataOrAny`. @param value not null @throws RowError in strict mode */
export function bytesOf(value: Value, { name, param, mode }: Place): Uint8Array {
  if (typeof value === "string") return utf8Of(value);
  if (mode === "compat") return utf8Of(goText(value));
  return checkArgument(name, { name: param, is: ["text", "bytes"] }, value) as Uint8Array;
}

/** @returns the text, which is no longer than a value may be @throws RowError so that no rule takes the memory of all */
export function bounded(name: string, text: string): string {
  const most = limits.stringValueBytes;
  if (text.length * 3 <= most) return text;
  if (text.length <= most && countBytes(text) <= most) return text;
  throw tooLong(name);
}

/** Before a text is made of so many characters. @throws RowError */
export function checkLength(name: string, characters: number): void {
  if (characters > limits.stringValueBytes) throw tooLong(name);
}

function tooLong(name: string): RowError {
  return new RowError(`Cannot call ${name}: the result is longer than ${limits.stringValueBytes} bytes`);
}
