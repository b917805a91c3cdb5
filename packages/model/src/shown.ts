import { stringifyExact } from "./exact-json.ts";

/** A value as an error message prints it: JSON, shortened, 64-bit integers as their digits. */
export function shown(value: unknown, most = 80): string {
  if (value === undefined) return "missing";
  const text = stringifyExact(value);
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}
