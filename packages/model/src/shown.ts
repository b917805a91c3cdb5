import { stringifyExact } from "./exact-json.ts";
import { isObject } from "./is-object.ts";

/** By name: what an error says may end in a log. */
const secret = /password|passphrase|secret|token|private_?key|api_?key/i;

/** A login in a URL, as far as anybody can tell where it ends. @source RFC 3986, 3.2.1 */
const loginInUrl = /\b([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi;

/**
 * What stands for a stored secret wherever it is shown. In a document that is stored again it means "as it is", so that
 * what was exported can be edited and applied.
 */
export const hiddenSecret = "********";

/** Whether a field of settings holds a secret, by its name alone: for those whose schema nobody knows. */
export function isSecretName(name: string): boolean {
  return secret.test(name);
}

/**
 * A value as an error message prints it: JSON, shortened, 64-bit integers as their digits, and never a secret.
 *
 * @param field  where it stands, "spec.settings.password": the last part says whether it is a secret
 * @param most   characters, 80 unless given
 */
export function shown(value: unknown, { field = "", most = 80 }: { field?: string; most?: number } = {}): string {
  if (value === undefined) return "(missing)";
  if (isSecretName(field.slice(field.lastIndexOf(".") + 1))) return "(hidden)";
  const text = stringifyExact(withoutSecrets(value));
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") return value.replace(loginInUrl, `$1${hiddenSecret}@`);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isSecretName(key) ? "(hidden)" : withoutSecrets(inner)]),
  );
}
