import {
  type FieldError,
  hiddenSecret,
  type IsSecret,
  invalid,
  isSecretName,
  kindsWithSecrets,
  mapSecrets,
  parseExact,
  type SpecPath,
  stringifyExact,
  valueAtPath,
} from "@penstock/model";
import { type Log, type SecretBox, sealedPrefix } from "@penstock/runtime";
import type { Row } from "./resource-rows.ts";
import { mapSealed, mayHaveSealed } from "./sealed-texts.ts";

/** Whose spec it is: sealed values open only there. */
export type SpecPlace = Pick<Row, "tenant_uid" | "kind" | "uid">;

/** And what is stored of it: JSON text in which each secret is a sealed text. */
type StoredSpec = SpecPlace & Pick<Row, "spec">;

/**
 * Secrets of devices in the specs of a tenant's resources: the one place that seals and opens them. What is stored has each
 * sealed on its own; `specOf` of resource-rows.ts shows a mark for each, which is all that most services need. Only what goes to
 * a gateway, and what is stored again, is opened.
 */
export interface SpecSecrets {
  /** the text of a spec as it is stored */
  seal(of: SpecPlace, spec: unknown): string;
  /** With its secrets. One that cannot be opened is left out and logged: the rest of a gateway's devices must go on. */
  open<Spec>(row: StoredSpec): Spec;
  /**
   * A spec that somebody gave, with the secrets that its marks stand for.
   *
   * @param stored  where they may stand, with their secrets; the first that has one counts
   * @throws AppError input/invalid naming each mark for which there is none
   */
  keepStored<Spec>(of: Pick<SpecPlace, "tenant_uid" | "kind">, spec: Spec, stored: readonly unknown[]): Spec;
  /** with marks instead of its secrets, to be shown */
  hide<Spec>(of: Pick<SpecPlace, "tenant_uid" | "kind">, spec: Spec): Spec;
  /** of several versions of a resource: secrets are the same text where they are the same, and none of them is told */
  comparable(versions: readonly StoredSpec[]): unknown[];
  /** whether a field, by the last part of its path, holds a secret in any set of settings */
  isSecretField(tenant: string, path: string): boolean;
  /** The text with what is not sealed yet, or by an older key, sealed; null when that is nothing. */
  resealed(row: StoredSpec): string | null;
}

/** Names of fields held of a tenant; people may call fields of a device as they like. */
const namesMost = 10_000;

export function createSpecSecrets(parts: {
  readonly box: SecretBox;
  readonly log: Log;
  /** fields that a tenant's mappers call secret, "connection.password"; the same set until it changes */
  readonly secretFields: (tenant: string) => ReadonlySet<string>;
}): SpecSecrets {
  const { box, secretFields } = parts;
  const log = parts.log.with({ stage: "services" });
  const placeOf = ({ tenant_uid, kind, uid }: SpecPlace, path: SpecPath) =>
    JSON.stringify([tenant_uid, kind, uid, ...path]);
  const known = new WeakMap<ReadonlySet<string>, IsSecret>();

  /** A device of 10,000 properties has the same few names 10,000 times. */
  function isSecretOf(tenant: string): IsSecret {
    const fields = secretFields(tenant);
    const found = known.get(fields) ?? remembered((part, name) => isSecretName(name) || fields.has(`${part}.${name}`));
    known.set(fields, found);
    return found;
  }
  function opened(of: SpecPlace, sealed: string, path: SpecPath): string | null {
    try {
      return box.openText(sealed, placeOf(of, path));
    } catch (error) {
      const { tenant_uid: tenant, kind, uid } = of;
      log.error({ tenant, kind, uid, field: path.join("."), error }, "A stored secret cannot be opened");
      return null;
    }
  }
  const map = <Spec>(
    { tenant_uid, kind }: Pick<SpecPlace, "tenant_uid" | "kind">,
    spec: Spec,
    change: (value: unknown, path: SpecPath) => unknown,
  ) => (kindsWithSecrets.has(kind) ? mapSecrets(spec, isSecretOf(tenant_uid), change) : spec);

  function seal(of: SpecPlace, spec: unknown): string {
    const made = new Set<string>();
    const sealOne = (value: unknown, path: SpecPath) => {
      const sealed = box.sealText(stringifyExact(value), placeOf(of, path));
      made.add(sealed);
      return sealed;
    };
    const sealed = map(of, spec, sealOne);
    const text = stringifyExact(sealed);
    if (text.split(`"${sealedPrefix}`).length - 1 === made.size) return text;
    // Somebody wrote a text that looks sealed: sealed as well it comes back as it is, and nothing sealed is ever foreign.
    return stringifyExact(mapSealed(sealed, (one, path) => (made.has(one) ? one : sealOne(one, path))));
  }

  return {
    seal,
    open<Spec>(row: StoredSpec) {
      const spec = parseExact(row.spec);
      if (!mayHaveSealed(row.spec)) return spec as Spec;
      return mapSealed(spec, (sealed, path) => {
        const text = opened(row, sealed, path);
        return text === null ? undefined : parseExact(text);
      }) as Spec;
    },
    keepStored(of, spec, stored) {
      const fields: FieldError[] = [];
      const kept = map(of, spec, (value, path) => {
        if (value !== hiddenSecret) return value;
        const found = stored.map((one) => valueAtPath(one, path)).find((one) => one !== undefined);
        if (found !== undefined) return found;
        const rule = "stands for a stored secret, and none is stored here: write the secret itself";
        fields.push({ field: `spec.${path.join(".")}`, value: hiddenSecret, rule });
        return value;
      });
      if (fields.length > 0) throw invalid(fields);
      return kept;
    },
    hide: (of, spec) => map(of, spec, () => hiddenSecret),
    comparable(versions) {
      const numbers = new Map<string, number>();
      return versions.map((row) =>
        mapSealed(parseExact(row.spec), (sealed, path) => {
          const text = opened(row, sealed, path) ?? sealed;
          const number = numbers.get(text) ?? numbers.size;
          numbers.set(text, number);
          return sealedPrefix + number;
        }),
      );
    },
    isSecretField(tenant, path) {
      const name = path.slice(path.lastIndexOf(".") + 1);
      const isSecret = isSecretOf(tenant);
      return (["connection", "address", "visitor", "method", "custom"] as const).some((part) => isSecret(part, name));
    },
    resealed(row) {
      const stored = parseExact(row.spec);
      let [isDue, isLost] = [false, false];
      const spec = mapSealed(stored, (sealed, path) => {
        const text = opened(row, sealed, path);
        isLost ||= text === null;
        isDue ||= box.isOfOlderKey(sealed);
        return text === null ? undefined : parseExact(text);
      });
      map(row, stored, (value) => {
        isDue ||= typeof value !== "string" || !value.startsWith(sealedPrefix);
        return value;
      });
      // Its key may be found again.
      return isDue && !isLost ? seal(row, spec) : null;
    },
  };
}

function remembered(isSecret: IsSecret): IsSecret {
  const parts = new Map<string, Map<string, boolean>>();
  return (part, name) => {
    const of = parts.get(part) ?? new Map<string, boolean>();
    parts.set(part, of);
    const before = of.get(name);
    if (before !== undefined) return before;
    if (of.size >= namesMost) of.clear();
    const found = isSecret(part, name);
    of.set(name, found);
    return found;
  };
}
