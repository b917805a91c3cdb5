import {
  AppError,
  type BusConsumer,
  codeOf,
  type DeviceUid,
  type EffectiveDevice,
  type EffectiveRule,
  type ErrorCode,
  forEachReading,
  limits,
  type ReadingBatch,
  type RuleHealth,
} from "@penstock/model";
import type { ObjectValue, Value } from "@penstock/rules";
import type { Cancel, Clock } from "@penstock/runtime";
import type { RuleSet, Rules, RulesOptions } from "../rules.ts";
import { openSinks } from "../sinks/open-sink.ts";
import { jsonOf } from "../sinks/row-json.ts";
import type { Sink } from "../sinks/sink.ts";
import { type EkuiperClient, ekuiperClient } from "./ekuiper-client.ts";
import { resultsTopics, rowsTopics } from "./ekuiper-topics.ts";
import { type HealthThere, healthThere } from "./health-there.ts";
import { type BrokerLogin, type ResultsHere, takeResults } from "./results-here.ts";
import { type Placed, synchronize } from "./synchronize.ts";
import { type ToEkuiper, toEkuiper } from "./to-ekuiper.ts";

/** batches that may wait; the oldest go first and are counted */
const bound = 1024;
const pollMs = 5000;
const [firstPauseMs, longestPauseMs] = [1000, 30_000];

export interface EkuiperRulesOptions
  extends Pick<RulesOptions, "clock" | "random" | "files" | "folder" | "log" | "metrics" | "site"> {
  /** "http://127.0.0.1:9081" */
  readonly url: string;
  /** name of this gateway: part of every name that is made there */
  readonly node: string;
  broker(): BrokerLogin;
}
interface Held {
  readonly spec: EffectiveRule;
  readonly there: ToEkuiper | null;
  readonly refusal: { readonly reason: ErrorCode; readonly message: string } | null;
  readonly sinks: readonly Sink[];
  readonly counts: { number: number; rowsOut: number; errors: number; lastError: string | null };
}

/**
 * The rules stage with a running eKuiper in the place of our engine: assigned rules become its streams and rules, rows of
 * devices go to it by the gateway's broker and results come back by it, and the gateway does the rules' actions. While it is
 * away everything else works, and what is assigned is tried again.
 */
export async function openEkuiperRules(options: EkuiperRulesOptions): Promise<Rules> {
  const rules = new RulesThere(options);
  await rules.open();
  return rules;
}

class RulesThere implements Rules {
  readonly consumer: BusConsumer;
  readonly #options: EkuiperRulesOptions;
  readonly #clock: Clock;
  readonly #client: EkuiperClient;
  readonly #stopping = new AbortController();
  readonly #prefix: string;
  #devices: ReadonlyMap<string, EffectiveDevice> = new Map();
  #held: ReadonlyMap<string, Held> = new Map();
  /** devices whose rows are read there */
  #read: ReadonlyMap<DeviceUid, EffectiveDevice> = new Map();
  #placed: ReadonlyMap<string, Placed> = new Map();
  #health: ReadonlyMap<string, HealthThere> = new Map();
  #away: string | null = "It has not been asked yet";
  #pauseMs = firstPauseMs;
  #timer: Cancel = () => {};
  #working: Promise<void> | null = null;
  #isDirty = false;
  #results: ResultsHere | null = null;
  readonly #closing = new Set<Promise<void>>();

  constructor(options: EkuiperRulesOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#client = ekuiperClient(options.url, this.#stopping.signal);
    this.#prefix = `penstock_${options.node}_`;
    this.consumer = { ...{ name: "rules", bound, policy: "drop-oldest" }, take: (batch) => this.#feed(batch) };
  }

  async open(): Promise<void> {
    const { log, metrics } = this.#options;
    const refused = metrics.counter(
      "penstock_rules_ekuiper_refused_results_total",
      "Messages of an eKuiper that are no results",
    );
    this.#results = await takeResults({
      ...{ broker: this.#options.broker(), filter: `${resultsTopics}/+`, log },
      take: (topic, rows) => this.#take(topic.slice(resultsTopics.length + 1), rows),
      refused: () => refused.add(),
    });
  }

  async apply(set: RuleSet): Promise<void> {
    this.#devices = new Map(set.devices.map((device) => [device.name, device]));
    const before = this.#held;
    this.#held = new Map(
      set.rules.map((spec) => [spec.uid, this.#becomes(spec, before.get(spec.uid) ?? null, set.devices)]),
    );
    for (const [uid, { sinks }] of before) if (this.#held.get(uid)?.sinks !== sinks) this.#closeAll(sinks);
    const read = [...this.#held.values()].flatMap(({ there }) => there?.devices ?? []);
    this.#read = new Map(read.map((device) => [device.uid, device]));
    this.#wake();
  }

  status(): readonly RuleHealth[] {
    const all = [...this.#held.values()].map((one) => this.#healthOf(one));
    const isWell = ({ state, errors }: RuleHealth) => (state === "running" && errors === 0 ? 1 : 0);
    return all.toSorted((a, b) => isWell(a) - isWell(b)).slice(0, limits.rulesTold);
  }

  async close(): Promise<void> {
    this.#timer();
    this.#stopping.abort(new AppError("aborted", "The gateway stops"));
    await this.#working;
    await this.#results?.close();
    for (const { sinks } of this.#held.values()) this.#closeAll(sinks);
    await Promise.all(this.#closing);
  }

  #becomes(spec: EffectiveRule, before: Held | null, devices: readonly EffectiveDevice[]): Held {
    const isSame = before !== null && JSON.stringify(before.spec.actions) === JSON.stringify(spec.actions);
    const counts = before?.counts ?? { number: 0, rowsOut: 0, errors: 0, lastError: null };
    let sinks: readonly Sink[] = isSame ? before.sinks : [];
    try {
      const there = toEkuiper(spec, this.#surroundings(devices));
      if (typeof there === "string") throw new AppError("rules/ekuiper-refused", there);
      if (!isSame || before.there === null) sinks = this.#openSinks(spec, counts);
      return { spec, there, refusal: null, sinks, counts };
    } catch (error) {
      const refusal = { reason: codeOf(error), message: error instanceof Error ? error.message : String(error) };
      return { spec, there: null, refusal, sinks: [], counts };
    }
  }

  #surroundings(devices: readonly EffectiveDevice[]) {
    const { url, user, password } = this.#options.broker();
    const server = url.replace(/^mqtts:/, "ssl:").replace(/^mqtt:/, "tcp:");
    return {
      ...{ broker: { server, user, password }, devices, prefix: this.#prefix, rowsTopic: topicOf },
      resultsTopic: ({ uid }: EffectiveRule) => `${resultsTopics}/${uid}`,
    };
  }

  #openSinks(spec: EffectiveRule, counts: Held["counts"]): readonly Sink[] {
    const { clock, random, files, folder, metrics, log, site } = this.#options;
    const failed = (message: string) => {
      counts.errors++;
      counts.lastError = message.slice(0, 500);
    };
    // Rows between rules are the eKuiper's own affair.
    const whole = { ...site, device: (name: string) => this.#devices.get(name) ?? null, memory: () => {} };
    return openSinks(spec, { clock, random, files, folder, metrics, log, site: whole, failed });
  }

  /** One row a batch; what rules wrote themselves does not go round. */
  #feed(batch: ReadingBatch): Promise<void> | undefined {
    const device = this.#read.get(batch.layout.device);
    const row = device === undefined ? null : rowOf(batch, device);
    if (device === undefined || row === null) return undefined;
    return this.#options.site.publish({
      topic: topicOf(device),
      payload: Buffer.from(jsonOf(row)),
      qos: 0,
      retain: false,
    });
  }

  #take(uid: string, rows: readonly ObjectValue[]): void {
    const held = this.#held.get(uid);
    if (held === undefined) return;
    const { spec, sinks, counts } = held;
    counts.number++;
    counts.rowsOut += rows.length;
    const output = { rule: spec.name, number: counts.number, time: this.#clock.now(), rows };
    for (const sink of sinks) void sink.take(output);
  }

  #wake(): void {
    this.#isDirty = true;
    this.#later(0);
  }
  #later(ms: number): void {
    this.#timer();
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#clock.after(ms, () => {
      this.#working ??= this.#work().finally(() => {
        this.#working = null;
        this.#later(this.#isDirty ? 0 : this.#away === null ? pollMs : this.#pauseMs);
      });
    });
  }
  async #work(): Promise<void> {
    const { log } = this.#options;
    this.#isDirty = false;
    try {
      // Before there is anything to miss.
      if (this.#results?.isListening() !== true)
        throw new AppError(
          "rules/ekuiper-unreachable",
          "Cannot take an eKuiper's results: the broker is not there yet",
        );
      const wanted = [...this.#held.values()].flatMap(({ there }) => (there === null ? [] : [there]));
      // After an outage nobody knows what is there.
      const before = this.#away === null ? this.#placed : new Map<string, Placed>();
      this.#placed = await synchronize({ client: this.#client, wanted, before, prefix: this.#prefix });
      this.#health = await this.#ask(wanted);
      if (this.#away !== null) log.info({ url: this.#options.url, rules: wanted.length }, "The eKuiper has the rules");
      [this.#away, this.#pauseMs] = [null, firstPauseMs];
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#away && this.#pauseMs > firstPauseMs)
        log.warn({ error }, "The eKuiper does not have the rules: tried again");
      this.#away = message;
      this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
    }
  }
  async #ask(wanted: readonly ToEkuiper[]): Promise<Map<string, HealthThere>> {
    const all = await this.#client.ask("GET", ["rules", "status", "all"]);
    const known =
      all.status === 200 && typeof all.body === "object" ? (all.body as Readonly<Record<string, unknown>>) : null;
    const health = new Map<string, HealthThere>();
    for (const { id } of wanted) {
      // Older ones tell of one rule at a time.
      const status =
        known?.[id] ?? (known === null ? (await this.#client.ask("GET", ["rules", id, "status"])).body : null);
      if (status !== null) health.set(id, healthThere(status));
    }
    return health;
  }

  #healthOf({ spec, there, refusal, counts }: Held): RuleHealth {
    const cut = (text: string | null) => text?.slice(0, limits.ruleMessageChars) ?? null;
    const placed = there === null ? undefined : this.#placed.get(there.id);
    const health = there === null ? undefined : this.#health.get(there.id);
    const refused =
      refusal ??
      (placed?.refusal == null ? null : { reason: "rules/ekuiper-refused" as const, message: placed.refusal });
    const base = {
      ...{ rule: spec.uid, generation: spec.generation, rowsIn: health?.rowsIn ?? 0, rowsOut: counts.rowsOut },
      errors: counts.errors + (health?.errors ?? 0),
      lastError: cut(counts.lastError ?? health?.lastError ?? null),
    };
    if (refused !== null) return { ...base, state: "refused", reason: refused.reason, message: cut(refused.message) };
    if (this.#away !== null)
      return { ...base, state: "failed", reason: "rules/ekuiper-unreachable", message: cut(this.#away) };
    const state = health?.state ?? (spec.isStopped ? "stopped" : "failed");
    const reason = state === "failed" ? ("rules/ekuiper-refused" as const) : null;
    return { ...base, state, reason, message: cut(health?.message ?? null) };
  }

  #closeAll(sinks: readonly Sink[]): void {
    for (const sink of sinks) {
      const closed = sink.close().finally(() => this.#closing.delete(closed));
      this.#closing.add(closed);
    }
  }
}

function topicOf({ name }: EffectiveDevice): string {
  return `${rowsTopics}/${name}`;
}

/** What a batch has, as one row. @returns null for a batch of what rules wrote */
function rowOf(batch: ReadingBatch, { properties }: EffectiveDevice): ObjectValue | null {
  const calculated = new Set(properties.flatMap((one) => (one.isCalculated === true ? [one.name] : [])));
  if (batch.layout.properties.every(({ name }) => calculated.has(name))) return null;
  const row: { [name: string]: Value } = Object.create(null);
  forEachReading(batch, ({ property, value }) => {
    const isTagged = typeof value === "object" && value !== null && !(value instanceof Uint8Array);
    if (value !== null) row[property] = (isTagged ? value.json : value) as Value;
  });
  return row;
}
