import { limits } from "@penstock/model";
import type { Mode } from "../../parse/ast.ts";
import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";

const integerText = /^-?\d+$/;
/** Only such a text can hold a number that is too large for a float. */
const mayOverflow = /\d{309}|[eE]\+?\d{3}/;

/**
 * Reads a JSON text. Compat: every number is a float. Strict: one that is written without a point and an exponent is an
 * integer, exact up to 64 bits.
 *
 * @throws RowError  for what is no JSON, too long, too deep, or has a number that does not fit
 */
export function readJson(name: string, text: string, mode: Mode): Value {
  if (text.length > limits.ruleTextChars) {
    throw new RowError(`Cannot call ${name}: the text is longer than ${limits.ruleTextChars} characters`);
  }
  effort.spend(text.length);
  if (isTooDeep(text)) {
    throw new RowError(`Cannot call ${name}: more than ${limits.devicePayloadDepth} arrays and structs in each other`);
  }
  try {
    const isPlain = mode === "compat" && !mayOverflow.test(text);
    return isPlain ? (JSON.parse(text) as Value) : (JSON.parse(text, numbersFor(name, mode)) as Value);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RowError(`Cannot call ${name}: the text is no JSON: ${error.message}`);
    throw error;
  }
}

type Reviver = (this: unknown, key: string, value: unknown) => unknown;

function numbersFor(name: string, mode: Mode): Reviver {
  const number = (_key: string, value: unknown, context?: { source?: string }) => {
    // To be asked about each value takes longer than to read it.
    effort.spend(50);
    if (typeof value !== "number") return value;
    const source = context?.source ?? "";
    const isInteger = mode === "strict" && integerText.test(source);
    const read = isInteger && source.length <= 20 ? BigInt(source) : value;
    const fits = typeof read === "bigint" ? BigInt.asIntN(64, read) === read : !isInteger && Number.isFinite(value);
    if (!fits) throw new RowError(`Cannot call ${name}: ${source.slice(0, 40)} does not fit 64 bits`);
    return read;
  };
  return number as Reviver;
}

/** What reads values later does so one inside the other, and must not run out of stack. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isText) {
      if (code === backslash) at++;
      else if (code === quote) isText = false;
    } else if (code === quote) isText = true;
    else if (code === openBracket || code === openBrace) {
      if (++depth > limits.devicePayloadDepth) return true;
    } else if (code === closeBracket || code === closeBrace) depth--;
  }
  return false;
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];
