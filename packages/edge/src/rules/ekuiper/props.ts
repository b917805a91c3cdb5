import { type FindingLevel, isObject, shown } from "@penstock/model";

/** One thing to know of a field that has no equal, or another form. */
export interface EkuiperFinding {
  /** 'rule "hot"', 'stream "demo"' */
  readonly document: string;
  /** path in it, as its author wrote it: "actions[0].mqtt.clientId" */
  readonly field: string;
  /** shortened, never a secret */
  readonly value: string;
  readonly level: FindingLevel;
  readonly why: string;
}
export type Tell = (finding: Omit<EkuiperFinding, "document">) => void;

/**
 * One object of a rule, a sink or a stream, read field by field; names are compared without case, as eKuiper does. What
 * nobody asked for is told at the end, so that no field is passed over in silence.
 */
export class Props {
  readonly path: string;
  readonly #tell: Tell;
  readonly #fields = new Map<string, { readonly name: string; readonly value: unknown }>();
  readonly #taken = new Set<string>();

  constructor(value: unknown, path: string, tell: Tell) {
    this.path = path;
    this.#tell = tell;
    if (!isObject(value)) {
      if (value !== undefined && value !== null)
        tell({ field: path, value: shown(value, { most: 60 }), level: "refused", why: "must be an object" });
      return;
    }
    for (const [name, one] of Object.entries(value)) {
      if (one !== null && one !== undefined) this.#fields.set(name.toLowerCase(), { name, value: one });
    }
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }
  take(name: string): unknown {
    this.#taken.add(name.toLowerCase());
    return this.#fields.get(name.toLowerCase())?.value;
  }
  text(name: string): string | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    this.refuse(name, "must be text");
    return undefined;
  }
  number(name: string): number | undefined {
    const value = this.take(name);
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (number === undefined || (typeof number === "number" && Number.isFinite(number))) return number;
    this.refuse(name, "must be a number");
    return undefined;
  }
  flag(name: string): boolean | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === "boolean") return value;
    if (value === "true" || value === "false") return value === "true";
    this.refuse(name, "must be true or false");
    return undefined;
  }
  texts(name: string): readonly string[] | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
    this.refuse(name, "must be a list of texts");
    return undefined;
  }
  /** milliseconds, of a number or of a text such as "10s" */
  ms(name: string): number | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    const ms = msOf(value);
    if (ms === null) this.refuse(name, "must be milliseconds, or a duration such as 10s");
    return ms ?? undefined;
  }

  tell(name: string, level: FindingLevel, why: string): void {
    const field = this.#fields.get(name.toLowerCase());
    const at = `${this.path === "" ? "" : `${this.path}.`}${field?.name ?? name}`;
    // Who logs in stands in some addresses.
    const value = typeof field?.value === "string" ? field.value.replace(/\/\/[^@/]*@/, "//…@") : field?.value;
    this.#tell({ field: at, value: shown(value, { field: at, most: 60 }), level, why });
  }
  note(name: string, why: string): void {
    this.take(name);
    if (this.has(name)) this.tell(name, "note", why);
  }
  /** takes a field and tells that it is not kept, if it is there */
  lose(name: string, why: string): void {
    this.take(name);
    if (this.has(name)) this.tell(name, "lossy", why);
  }
  refuse(name: string, why: string): void {
    this.take(name);
    this.tell(name, "refused", why);
  }
  /** as `refuse`, where the field is there and says something */
  refuseIfSet(name: string, why: string): void {
    const value = this.take(name);
    if (value !== undefined && value !== "" && value !== false) this.tell(name, "refused", why);
  }
  /** @param level of what nobody asked for: a sink of ours knows no such setting */
  end(level: FindingLevel = "lossy"): void {
    for (const [key, { name }] of this.#fields) {
      if (!this.#taken.has(key)) this.tell(name, level, "there is no such setting here: it is left out");
    }
  }
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** @source Go, time.ParseDuration (go1.23); a number is milliseconds */
export function msOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? Math.round(value) : null;
  if (typeof value !== "string") return null;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  if (!/^(\d{1,12}(\.\d{1,9})?(h|ms|m|s|us|µs|ns))+$/.test(value) || value.length > 64) return null;
  let ms = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g))
    ms += Number(amount) * unitMs[unit!]!;
  return Math.round(ms);
}
