import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { shown } from "../shown.ts";
import { integerBounds } from "../value.ts";

const least = integerBounds.int64[0];
const most = integerBounds.uint64[1];

/** A `custom` block goes to the mapper as it is: all that is asked of it is that it can. */
export function checkCustom(custom: unknown, at: string): FieldError[] {
  const fields: FieldError[] = [];
  const look = (value: unknown, path: string, depth: number): void => {
    if (typeof value === "bigint" && (value < least || value > most)) {
      fields.push({
        field: path,
        value: shown(value),
        rule: `must be ${least}..${most}: an integer has at most 64 bits`,
      });
    }
    if (typeof value === "string" && !value.isWellFormed()) {
      fields.push({ field: path, value: shown(value), rule: "must be well-formed Unicode" });
    }
    if (typeof value !== "object" || value === null || fields.length > 0) return;
    if (depth >= limits.customDepth) {
      const rule = `must be at most ${limits.customDepth} lists and objects in each other`;
      fields.push({ field: at, value: shown(Array.isArray(value) ? "(list)" : "(object)"), rule });
      return;
    }
    for (const [key, inner] of Object.entries(value)) look(inner, `${path}.${key}`, depth + 1);
  };
  look(custom, at, 0);
  return fields;
}
