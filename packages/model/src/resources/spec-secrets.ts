import { isObject } from "../is-object.ts";
import type { SecretPart } from "../secret-fields.ts";
import type { Kind } from "./common.ts";

/** Kinds whose spec holds settings of mappers, and with them secrets of devices; and logins of MQTT and of actions of rules. */
export const kindsWithSecrets: ReadonlySet<string> = new Set<Kind>([
  "Connection",
  "DeviceModel",
  "Device",
  "Node",
  "Rule",
]);

/** Whether the field `name` of a set of settings holds a secret. */
export type IsSecret = (part: SecretPart, name: string) => boolean;
/** Where a value stands in a spec: ["settings", "password"], list items by their number. */
export type SpecPath = readonly string[];

type Step = (value: unknown, path: string[]) => unknown;

/**
 * A spec with another value in the place of each secret; the spec itself when it has none. What is a secret is taken as a
 * whole, whatever it is, except true, false and null, which keep nothing to themselves.
 *
 * @param change  what is to stand there; undefined leaves the field out
 */
export function mapSecrets<Spec>(spec: Spec, isSecret: IsSecret, change: (value: unknown, path: SpecPath) => unknown) {
  const settingsOf = (part: SecretPart): Step => {
    const within: Step = (value, path) =>
      Array.isArray(value)
        ? items(value, path, within)
        : fields(value, path, (key, inner) =>
            typeof inner !== "boolean" && inner !== null && isSecret(part, key)
              ? change(inner, [...path])
              : within(inner, path),
          );
    return within;
  };
  const [settings, address, custom] = [settingsOf("connection"), settingsOf("address"), settingsOf("custom")];
  // Made once: a device has up to 10,000 properties.
  const inProperty = [["visitor", settingsOf("visitor")] as const, ["custom", custom] as const];
  const inMethod = [["visitor", settingsOf("method")] as const];
  // By place: a user may be called "token".
  const login: Step = (value, path) =>
    fields(value, path, (key, inner) => (key === "password" ? change(inner, [...path]) : inner));
  const inMqtt = [
    ["users", (value: unknown, path: string[]) => fields(value, path, (_, one) => login(one, path))] as const,
    ["broker", login] as const,
  ];
  const inRule: Step = (value, path) =>
    Array.isArray(value)
      ? items(value, path, inRule)
      : fields(value, path, (key, inner) =>
          typeof inner === "string" && isSecretOfRule(key, path.at(-2))
            ? change(inner, [...path])
            : inRule(inner, path),
        );
  // Only values of settings, which any JSON may be, have become others.
  return parts(
    spec,
    [],
    [
      ["settings", settings],
      ["address", address],
      ["custom", custom],
      ["connection", (value, path) => parts(value, path, [["settings", settings]])],
      ["properties", (value, path) => fields(value, path, (_, one) => parts(one, path, inProperty))],
      ["methods", (value, path) => fields(value, path, (_, one) => parts(one, path, inMethod))],
      ["mqtt", (value, path) => parts(value, path, inMqtt)],
      ["actions", inRule],
      ["sources", inRule],
    ],
  ) as Spec;
}

/** Whether a header of a request holds a secret, by its name. */
export function isSecretHeader(name: string): boolean {
  return /auth|key|token|secret|cookie/i.test(name);
}

/** Logins of actions and sources of a rule, and headers that are one. */
function isSecretOfRule(key: string, of: string | undefined): boolean {
  if (of === "headers") return isSecretHeader(key);
  return key === "password" || key === "token" || key === "secret";
}

/** Looks at these fields only, whatever else there is. */
function parts(value: unknown, path: string[], steps: readonly (readonly [field: string, step: Step])[]): unknown {
  if (!isObject(value)) return value;
  let changed: Record<string, unknown> | null = null;
  for (const [field, step] of steps) {
    const inner = value[field];
    if (inner === undefined) continue;
    path.push(field);
    const made = step(inner, path);
    path.pop();
    if (made === inner) continue;
    changed ??= { ...value };
    changed[field] = made;
  }
  return changed ?? value;
}

/** The same object unless a field becomes another. While `each` runs, the path ends with its key. */
function fields(value: unknown, path: string[], each: (key: string, value: unknown) => unknown): unknown {
  if (!isObject(value)) return value;
  let changed: Record<string, unknown> | null = null;
  for (const key of Object.keys(value)) {
    path.push(key);
    const made = each(key, value[key]);
    path.pop();
    if (made === value[key]) continue;
    changed ??= { ...value };
    if (made === undefined) delete changed[key];
    else changed[key] = made;
  }
  return changed ?? value;
}

function items(value: readonly unknown[], path: string[], each: Step): unknown {
  const made = value.map((item, i) => {
    path.push(String(i));
    const one = each(item, path);
    path.pop();
    return one;
  });
  return made.some((item, i) => item !== value[i]) ? made : value;
}

/** The value at a path; undefined where there is none. */
export function valueAtPath(spec: unknown, path: SpecPath): unknown {
  let value = spec;
  for (const key of path) {
    if ((!isObject(value) && !Array.isArray(value)) || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}
