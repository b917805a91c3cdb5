import { limits } from "@penstock/model";
import type { Value } from "@penstock/rules";
import { isTooDeep } from "../../sources/json-rows.ts";

/** JSON of a column; what is too large or too deep to be walked stays text. */
export function valueOfJson(text: string): Value {
  if (text.length > limits.lookupAnswerChars || isTooDeep(text)) return text;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return text;
  }
}
