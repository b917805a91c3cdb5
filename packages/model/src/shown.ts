import { stringifyExact } from "./exact-json.ts";
import { isObject } from "./is-object.ts";

/** By name: what an error says may end in a log. */
const secret = /password|secret|token|private_?key/i;

/**
 * A value as an error message prints it: JSON, shortened, 64-bit integers as their digits, and never a secret.
 *
 * @param field  where it stands, "spec.settings.password": the last part says whether it is a secret
 * @param most   characters, 80 unless given
 */
export function shown(value: unknown, { field = "", most = 80 }: { field?: string; most?: number } = {}): string {
  if (value === undefined) return "(missing)";
  if (secret.test(field.slice(field.lastIndexOf(".") + 1))) return "(hidden)";
  const text = stringifyExact(withoutSecrets(value));
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, secret.test(key) ? "(hidden)" : withoutSecrets(inner)]),
  );
}
