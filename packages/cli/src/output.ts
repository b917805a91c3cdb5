import { AppError, isWideFloat, stringifyExact } from "@penstock/model";
import { Scalar, stringify } from "yaml";

export type Format = "text" | "json" | "yaml";

export function formatOf(text: string | undefined): Format {
  if (text === undefined) return "text";
  if (text === "json" || text === "yaml") return text;
  throw new AppError("input/invalid", `Invalid -o: ${text}: must be json or yaml`);
}

/** One answer for people or for programs. */
export function print(format: Format, value: unknown, text: () => string): void {
  if (format === "json") console.log(stringifyExact(value, 2));
  else if (format === "yaml") process.stdout.write(yamlText(value));
  else console.log(text());
}

/** YAML that reads back as it was: an integer has all its digits, a large floating point number its exponent. */
export function yamlText(value: unknown): string {
  return stringify(value, (_key: unknown, inner: unknown) => {
    if (typeof inner !== "number" || !isWideFloat(inner)) return inner;
    const scalar = new Scalar(inner);
    scalar.format = "EXP";
    return scalar;
  });
}
