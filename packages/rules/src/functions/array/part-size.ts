import { limits } from "@penstock/model";
import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { isObject, type Value } from "../../value/value.ts";

/**
 * The value, if it is small enough to be walked through and printed. Values share what they hold, so a rule could build in
 * a few steps one that takes little memory and years to print: all counts as often as it is reached.
 *
 * @throws RowError
 */
export function bounded<Made extends Value>(name: string, value: Made): Made {
  const waiting: Value[] = [value];
  let [parts, chars] = [0, 0];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const inner = Array.isArray(one) ? (one as readonly Value[]) : isObject(one) ? Object.values(one) : [];
    parts += inner.length;
    effort.parts(1 + inner.length);
    if (parts > limits.ruleValueParts) throw tooLarge(name);
    if (isObject(one)) {
      effort.fields(inner.length);
      for (const field in one) chars += field.length;
    }
    for (const part of inner) {
      if (typeof part === "string" || part instanceof Uint8Array) chars += part.length;
      else if (typeof part === "object" && part !== null) waiting.push(part);
    }
    if (chars > limits.ruleValueChars) {
      throw new RowError(`Cannot call ${name}: the result holds more than ${limits.ruleValueChars} characters`);
    }
  }
  return value;
}

export function tooLarge(name: string): RowError {
  return new RowError(`Cannot call ${name}: the result has more than ${limits.ruleValueParts} elements`);
}

/** To be asked before the text is made. @throws RowError */
export function checkTextLength(name: string, chars: number): void {
  if (chars <= limits.ruleTextChars) return;
  throw new RowError(`Cannot call ${name}: the result is longer than ${limits.ruleTextChars} characters`);
}
