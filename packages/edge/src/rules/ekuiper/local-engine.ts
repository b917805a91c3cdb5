import { AppError, type EffectiveRule, hiddenSecret, isObject, isSecretName, type RuleHealth } from "@penstock/model";
import { planQuery } from "@penstock/rules";
import type { Clock, Log } from "@penstock/runtime";
import { ruleStreams } from "../rule-streams.ts";
import type { Catalogue, KeptCatalogue } from "./catalogue.ts";
import { type FromEkuiper, fromEkuiper, localIdPattern, refusalOf, sourcesOf } from "./from-ekuiper.ts";
import { fromStream, readDefine } from "./from-stream.ts";
import type { LocalRules } from "./local-rules.ts";
import type { EkuiperFinding } from "./props.ts";

export type SourceKind = "streams" | "tables";
export interface LocalEngineOptions {
  readonly rules: LocalRules;
  readonly catalogue: KeptCatalogue;
  /** "HOST:PORT" by which the gateway's own broker is named */
  readonly ownBrokers: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is made by eKuiper's REST shape: kept on the disk, and run beside what is assigned. One change at a time. */
export class LocalEngine {
  readonly #options: LocalEngineOptions;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: LocalEngineOptions) {
    this.#options = options;
    void this.applyAgain();
  }

  get catalogue(): Catalogue {
    return this.#options.catalogue.current();
  }
  get rules(): LocalRules {
    return this.#options.rules;
  }
  get clock(): Clock {
    return this.#options.clock;
  }

  /** After what is assigned has changed: a rule whose name is assigned now gives way. */
  applyAgain(): Promise<void> {
    const assigned = new Set(this.rules.assigned().map(({ name }) => name));
    const made = Object.keys(this.catalogue.rules).flatMap((id) => {
      if (assigned.has(id)) return [];
      try {
        const { rule } = this.taken(id);
        return rule === null ? [] : [rule];
      } catch (error) {
        // Kept by a release that could read it; it is told as refused where it is asked for.
        this.#options.log.warn({ rule: id, error }, "A rule made here cannot be read any more");
        return [];
      }
    });
    return this.rules.apply(made);
  }

  assigned(id: string): EffectiveRule | null {
    return this.rules.assigned().find(({ name }) => name === id) ?? null;
  }
  /** as it was written; null where there is none */
  written(id: string): Readonly<Record<string, unknown>> | null {
    const text = Object.hasOwn(this.catalogue.rules, id) ? this.catalogue.rules[id]! : null;
    return text === null ? null : (JSON.parse(text) as Readonly<Record<string, unknown>>);
  }
  healthOf(id: string): RuleHealth | null {
    const uid = this.assigned(id)?.uid ?? this.taken(id).rule?.uid;
    return this.rules.status().find(({ rule }) => rule === uid) ?? null;
  }
  /** what becomes of a rule that is kept here. @throws AppError rules/bad-sql */
  taken(id: string): FromEkuiper {
    return this.#read(this.written(id), id, this.catalogue);
  }

  /** @throws AppError input/invalid, rules/bad-sql: what would be refused */
  check(
    rule: unknown,
    catalogue: Catalogue = this.catalogue,
  ): { readonly rule: EffectiveRule; readonly findings: readonly EkuiperFinding[] } {
    const { rule: made, findings } = this.#read(rule, undefined, catalogue);
    if (made === null) throw refusalOf(findings);
    this.plan(made);
    return { rule: made, findings };
  }

  /** @throws AppError rules/bad-sql */
  plan(rule: EffectiveRule) {
    const { rules, clock } = this.#options;
    const devices = new Map(rules.devices().map((device) => [device.name, device]));
    const { catalog } = ruleStreams({ devices, tenant: rules.tenant(), rule });
    const timeZone = rules.timeZone();
    const { sql, mode, name: ruleId } = rule;
    return planQuery({
      ...{ sql, mode, ruleId, catalog, timeZone, host: rules.host, offsetAt: rules.offsetAt(timeZone) },
      startedAt: clock.now(),
    });
  }

  /** Makes a rule, or another of its id. @throws AppError what `check` does, and rules/… of the engine; nothing has changed then */
  putRule(rule: unknown, options: { readonly mustBe: "new" | "known" | "any"; readonly id?: string }): Promise<string> {
    return this.#change(async () => {
      const given = options.id === undefined || !isObject(rule) ? rule : { ...rule, id: options.id };
      const id = isObject(given) && typeof given.id === "string" ? given.id : "";
      const before = this.written(id);
      if (this.assigned(id) !== null) throw assignedError(id);
      if (options.mustBe === "new" && before !== null) throw invalid(`Rule ${id} already exists`);
      if (options.mustBe === "known" && before === null) throw notFound("Rule", id);
      const whole = withKept(given, before);
      const { rule: made } = this.check(whole);
      const catalogue = this.catalogue;
      await this.#replace({ ...catalogue, rules: { ...catalogue.rules, [id]: JSON.stringify(whole) } });
      // What only the engine can say, such as a loop through other rules.
      const health = this.rules.status().find((one) => one.rule === made.uid);
      if (health?.state !== "refused") return id;
      await this.#replace(catalogue);
      throw new AppError(health.reason ?? "rules/bad-sql", health.message ?? "The rule is refused");
    });
  }
  dropRule(id: string): Promise<void> {
    return this.#change(async () => {
      if (this.assigned(id) !== null) throw assignedError(id);
      if (this.written(id) === null) throw notFound("Rule", id);
      const { [id]: _, ...rules } = this.catalogue.rules;
      await this.#replace({ ...this.catalogue, rules });
    });
  }
  /** @param change  fields of the rule as it is written */
  async changeRule(id: string, change: (rule: Readonly<Record<string, unknown>>) => object): Promise<void> {
    if (this.assigned(id) !== null) throw assignedError(id);
    const before = this.written(id);
    if (before === null) throw notFound("Rule", id);
    await this.putRule({ ...before, ...change(before) }, { mustBe: "known", id });
  }
  /** stops it and begins it anew: what it had gathered is gone */
  async restartRule(id: string): Promise<void> {
    await this.changeRule(id, () => ({ triggered: false }));
    await this.changeRule(id, () => ({ triggered: true }));
  }

  putSource(
    kind: SourceKind,
    sql: string,
    options: { readonly mustBe: "new" | "known"; readonly name?: string },
  ): Promise<string> {
    return this.#change(async () => {
      const { define, source, findings } = fromStream(sql, this.#options.ownBrokers);
      const { name } = define;
      if (`${define.kind}s` !== kind) throw invalid(`The statement makes a ${define.kind}`);
      if (options.name !== undefined && options.name !== name)
        throw invalid(`The statement makes "${name}", not "${options.name}"`);
      if (!/^[A-Za-z][A-Za-z0-9_-]{0,199}$/.test(name))
        throw invalid(`The name "${name}" must be letters, digits, _ or -`);
      if (this.rules.devices().some((one) => one.name === name))
        throw invalid(`A device of this gateway has the name "${name}": it is a stream already`);
      const { catalogue } = this;
      const isKnown = Object.hasOwn(catalogue[kind], name);
      if (options.mustBe === "known" && !isKnown) throw notFound(labels[kind], name);
      if (options.mustBe === "new" && (isKnown || this.statements().has(name)))
        throw invalid(`${labels[kind]} ${name} already exists`);
      if (source === null) throw refusalOf(findings);
      const next = { ...catalogue, [kind]: { ...catalogue[kind], [name]: sql } };
      for (const id of this.readersOf(name)) this.check(this.written(id), next);
      await this.#replace(next);
      return name;
    });
  }
  dropSource(kind: SourceKind, name: string, isForced: boolean): Promise<void> {
    return this.#change(async () => {
      if (!Object.hasOwn(this.catalogue[kind], name)) throw notFound(labels[kind], name);
      const readers = this.readersOf(name);
      if (readers.length > 0 && !isForced) throw invalid(`Rules read "${name}": ${readers.join(", ")}`);
      const { [name]: _, ...left } = this.catalogue[kind];
      await this.#replace({ ...this.catalogue, [kind]: left });
    });
  }
  /** rules made here that name a stream */
  readersOf(name: string): string[] {
    return Object.keys(this.catalogue.rules).filter((id) =>
      sourcesOf(String(this.written(id)?.sql ?? "")).includes(name),
    );
  }
  statements(catalogue: Catalogue = this.catalogue): ReadonlyMap<string, string> {
    return new Map([...Object.entries(catalogue.streams), ...Object.entries(catalogue.tables)]);
  }

  /**
   * Takes a set of streams, tables and rules one by one; what cannot be taken is told by its name, and the rest is taken.
   *
   * @param isNew  in the place of all that is here
   */
  import(
    set: Catalogue,
    { isNew, overwrites }: { readonly isNew: boolean; readonly overwrites: boolean },
  ): Promise<Imported> {
    return this.#change(async () => {
      const next = isNew ? { streams: {}, tables: {}, rules: {} } : copyOf(this.catalogue);
      const failed: { [K in keyof Catalogue]: Record<string, string> } = { streams: {}, tables: {}, rules: {} };
      const counts = { streams: 0, tables: 0, rules: 0 };
      const each = (part: keyof Catalogue, take: (name: string, text: string) => void) => {
        for (const [name, text] of Object.entries(set[part])) {
          if (Object.hasOwn(next[part], name) && !overwrites) continue;
          try {
            take(name, text);
            next[part][name] = text;
            counts[part]++;
          } catch (error) {
            failed[part][name] = error instanceof Error ? error.message : String(error);
          }
        }
      };
      for (const kind of ["streams", "tables"] as const)
        each(kind, (name, sql) => this.#checkImported(kind, name, sql));
      each("rules", (id, text) => {
        if (!localIdPattern.test(id) || this.assigned(id) !== null) throw assignedError(id);
        this.check({ ...(JSON.parse(text) as object), id }, next);
      });
      await this.#replace(next);
      return { counts, failed };
    });
  }

  #checkImported(kind: SourceKind, name: string, sql: string): void {
    if (readDefine(sql).name !== name || this.rules.devices().some((one) => one.name === name))
      throw invalid(`"${name}" cannot be the name of it`);
    const { source, findings, define } = fromStream(sql, this.#options.ownBrokers);
    if (source === null || `${define.kind}s` !== kind) throw refusalOf(findings);
  }

  #read(rule: unknown, id: string | undefined, catalogue: Catalogue): FromEkuiper {
    const { ownBrokers } = this.#options;
    return fromEkuiper({ rule, ...(id !== undefined && { id }), streams: this.statements(catalogue), ownBrokers });
  }
  async #replace(next: Catalogue): Promise<void> {
    await this.#options.catalogue.replace(next);
    await this.applyAgain();
  }
  #change<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(work, work);
    this.#changing = done.catch(() => undefined);
    return done;
  }
}

export interface Imported {
  readonly counts: { readonly streams: number; readonly tables: number; readonly rules: number };
  readonly failed: { readonly [K in keyof Catalogue]: Readonly<Record<string, string>> };
}

const labels = { streams: "Stream", tables: "Table" } as const;

export function notFound(kind: "Rule" | "Stream" | "Table" | "Test rule", name: string): AppError {
  return new AppError("request/not-found", `${kind} ${name} is not found`);
}
function invalid(text: string): AppError {
  return new AppError("input/invalid", text);
}
function assignedError(id: string): AppError {
  return new AppError("request/forbidden", `Rule ${id} is assigned to this gateway by its cloud: it is changed there`);
}
function copyOf({ streams, tables, rules }: Catalogue): { [K in keyof Catalogue]: Record<string, string> } {
  return { streams: { ...streams }, tables: { ...tables }, rules: { ...rules } };
}

/** A mark in the place of a secret means what was there before. */
function withKept(value: unknown, before: unknown): unknown {
  if (Array.isArray(value)) return value.map((one, i) => withKept(one, Array.isArray(before) ? before[i] : undefined));
  if (!isObject(value)) return value;
  const was = isObject(before) ? before : {};
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      one === hiddenSecret && isSecretName(name) ? was[name] : withKept(one, was[name]),
    ]),
  );
}
