import { AppError } from "@penstock/model";
import { stringify } from "yaml";

export type Format = "text" | "json" | "yaml";

export function formatOf(text: string | undefined): Format {
  if (text === undefined) return "text";
  if (text === "json" || text === "yaml") return text;
  throw new AppError("input/invalid", `Invalid -o: ${text}: must be json or yaml`);
}

/** One answer for people or for programs. */
export function print(format: Format, value: unknown, text: () => string): void {
  if (format === "json") console.log(JSON.stringify(value, null, 2));
  else if (format === "yaml") process.stdout.write(stringify(value));
  else console.log(text());
}
