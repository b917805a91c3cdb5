import {
  AppError,
  type BusConsumer,
  codeOf,
  type DeviceUid,
  type EffectiveDevice,
  type EffectiveRule,
  type ErrorCode,
  limits,
  type RuleEnds,
  type RuleHealth,
  RuleLoops,
  type RuleSourceSpec,
  type RuleUid,
  traceId,
} from "@penstock/model";
import type { HostFunctions, ObjectValue, OffsetAt } from "@penstock/rules";
import { type Clock, type Files, type Log, type Metrics, type Random, sleep } from "@penstock/runtime";
import { openRuleLookups, type RuleLookups } from "./lookups/rule-lookups.ts";
import { Remembered } from "./remembered.ts";
import { endsOf, mustNotLoop } from "./rule-ends.ts";
import { directFeed, type RuleFeed } from "./rule-feed.ts";
import { healthOf } from "./rule-health.ts";
import { type RuleStreams, ruleStreams, sourceKey } from "./rule-streams.ts";
import { type RuleParts, RunningRule } from "./running-rule.ts";
import { sweepCaches } from "./sinks/cache/sweep-caches.ts";
import { openSinks } from "./sinks/open-sink.ts";
import type { RuleOutput, Sink } from "./sinks/sink.ts";
import type { SinkSite } from "./sinks/sink-parts.ts";

const file = "edge/src/rules/rules.ts";
/** batches that may wait; the oldest go first and are counted: a rule never holds up collecting */
const bound = 1024;
/** of planning rules in one turn: collecting, and the rules that run, have their turns between */
const sliceMicros = 5000;

export interface RulesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  /** for what actions keep; made when there is something */
  readonly folder: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly host: HostFunctions;
  /** what actions reach of the gateway */
  readonly site: Omit<SinkSite, "device" | "memory">;
  /** how much local time of a zone is ahead of UTC */
  offsetAt(timeZone: string): OffsetAt;
  /**
   * opens what brings the rows of a source, each handed to `row` as JSON has it; null where this gateway cannot. What it
   * brings meanwhile waits for nobody
   */
  readonly openSource?: OpenSource;
  /** left out: rules are fed at once, and what they remember ends with the process */
  readonly feed?: RuleFeed;
  /** told the uid of the rule that is at work, and null when it is done */
  working?(rule: RuleUid | null): void;
}

export type OpenSource = (
  source: RuleSourceSpec,
  row: (content: ObjectValue, meta: ObjectValue) => void | Promise<void>,
) => { close(): Promise<void> } | null;

/** What is assigned to the gateway, as far as rules need it. */
export interface RuleSet {
  readonly tenant: string;
  readonly timeZone: string;
  readonly devices: readonly EffectiveDevice[];
  readonly rules: readonly EffectiveRule[];
}

export interface Rules {
  readonly consumer: BusConsumer;
  /**
   * Begins, ends and replaces rules; those of which nothing has changed notice nothing. One that is refused harms no other.
   * Many are planned a few at a time, while those before run on. Of sets that come meanwhile the last one counts.
   *
   * @returns resolves when the set, or one after it, is at work; never rejects
   */
  apply(set: RuleSet): Promise<void>;
  /** those that are not well first, at most `limits.rulesTold` */
  status(): readonly RuleHealth[];
  /** resolves when nothing is in flight */
  close(): Promise<void>;
}

/** A rule of the set: at work, stopped, or refused. */
interface Held {
  readonly spec: EffectiveRule;
  /** equal: the query has the same plan */
  readonly key: string;
  /** streams that its plan asked for, which may not be there yet */
  readonly asked: ReadonlySet<string>;
  readonly running: RunningRule | null;
  /** null: it does not run */
  readonly ends: RuleEnds | null;
  readonly sinks: readonly Sink[];
  /** null: it does not run */
  readonly lookups: RuleLookups | null;
  readonly refusal: { readonly reason: ErrorCode; readonly message: string } | null;
}

/** The rules stage: streaming SQL over what is collected; the same rows in the same order give the same results. */
export function createRules(options: RulesOptions): RulesHere {
  return new RulesOfGateway(options);
}

/** Rules of our own engine. */
export interface RulesHere extends Rules {
  /** whether any of them reads what the device gives */
  reads(device: DeviceUid): boolean;
}

class RulesOfGateway implements RulesHere {
  readonly consumer: BusConsumer;
  readonly #options: RulesOptions;
  readonly #log: Log;
  readonly #feed: RuleFeed;
  readonly #site: SinkSite;
  #set: RuleSet = { tenant: "", timeZone: "UTC", devices: [], rules: [] };
  #devices: ReadonlyMap<string, EffectiveDevice> = new Map();
  #held: ReadonlyMap<string, Held> = new Map();
  /** a set is being put to work; what is left of it ends when the stage closes */
  #applying: Promise<void> | null = null;
  #putting: Generator<void> | null = null;
  /** to be put to work after it */
  #wanted: RuleSet | null = null;
  #isClosed = false;
  /** by `sourceKey`; one for all rules that state the same */
  readonly #sources = new Map<string, { readonly source: { close(): Promise<void> }; readonly settings: string }>();
  /** of actions that are no more; what they still deliver is waited for at the end */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: RulesOptions) {
    this.#options = options;
    this.#log = options.log.with({ stage: "rules" });
    this.#feed = options.feed ?? directFeed(options);
    const remembered = new Remembered({ ...options, feed: this.#feed });
    this.#site = {
      ...options.site,
      device: (name) => this.#devices.get(name) ?? null,
      memory: (stream, output) => remembered.take(stream, output),
    };
    this.consumer = {
      ...{ name: "rules", bound, policy: "drop-oldest" },
      take: (batch) => {
        if (!this.reads(batch.layout.device)) return;
        if (this.#log.tracing) this.#log.trace({ file, id: traceId(batch) }, "Rules look");
        return this.#feed.take({ t: "batch", batch });
      },
    };
  }

  reads(device: DeviceUid): boolean {
    return this.#feed.reads({ device });
  }

  apply(set: RuleSet): Promise<void> {
    this.#wanted = set;
    // What fits one turn is at work when this returns.
    if (this.#applying === null && !this.#work()) this.#applying = this.#workOn();
    return this.#applying ?? Promise.resolve();
  }

  /** @returns whether what is wanted is at work; else the rest wants another turn */
  #work(): boolean {
    for (;;) {
      if (this.#putting === null) {
        if (this.#wanted === null || this.#isClosed) return true;
        this.#putting = this.#put(this.#wanted);
        this.#wanted = null;
      }
      if (this.#putting.next().done !== true) return false;
      this.#putting = null;
    }
  }

  async #workOn(): Promise<void> {
    let isDone = false;
    while (!isDone) {
      await sleep(this.#options.clock, 0);
      try {
        isDone = this.#work();
      } catch (error) {
        this.#putting = null;
        this.#log.error({ error }, "Rules are not as assigned");
      }
    }
    this.#applying = null;
  }

  /** Gives way where a turn is over. */
  *#put(set: RuleSet): Generator<void> {
    this.#set = set;
    this.#devices = new Map(set.devices.map((device) => [device.name, device]));
    const before = this.#held;
    const next = new Map<string, Held>();
    const loops = new RuleLoops();
    let began = this.#options.clock.monotonic();
    for (const spec of set.rules) {
      if (this.#options.clock.monotonic() - began > sliceMicros) {
        yield;
        if (this.#isClosed) return this.#leave(before, next);
        began = this.#options.clock.monotonic();
      }
      const held = this.#becomes(spec, before.get(spec.uid) ?? null, loops);
      if (held.ends !== null) loops.add(held.ends);
      next.set(spec.uid, held);
    }
    this.#held = next;
    for (const [uid, held] of before) {
      const now = next.get(uid);
      if (held.running !== null && now?.running === null) this.#feed.end(uid, { keepsNumber: true });
      if (now === undefined) this.#feed.end(uid, { keepsNumber: false });
      if (now?.sinks !== held.sinks) this.#close(closablesOf(held));
    }
    const running = [...next.values()].filter((one) => one.running !== null).length;
    this.#options.metrics.gauge("penstock_rules_running", "Rules that run").set(running);
    // What they asked before a restart, nobody answers any more.
    void this.#feed.replay().then(() => {
      for (const { running } of next.values()) running?.askAgain();
    });
    this.#closeUnread();
    this.#close([
      { close: () => sweepCaches({ ...this.#options, log: this.#log, isKept: (uid) => this.#held.has(uid) }) },
    ]);
  }

  /** Nothing of a rule that is not planned yet ends for good: after a restart it goes on where it was. */
  #leave(before: ReadonlyMap<string, Held>, next: ReadonlyMap<string, Held>): void {
    this.#held = new Map([...before, ...next]);
    for (const [uid, held] of before) if (this.#held.get(uid)!.sinks !== held.sinks) this.#close(closablesOf(held));
  }

  status(): readonly RuleHealth[] {
    const all = [...this.#held.values()].map((held) => {
      const health = healthOf(held);
      return health.state === "running" ? { ...health, message: this.#feed.told(held.spec.uid) } : health;
    });
    const isWell = ({ state, errors, message }: RuleHealth) =>
      state === "running" && errors === 0 && message === null ? 1 : 0;
    return all.toSorted((a, b) => isWell(a) - isWell(b)).slice(0, limits.rulesTold);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#applying;
    this.#close([...this.#sources.values()].map(({ source }) => source));
    await this.#feed.close();
    for (const held of this.#held.values()) this.#close(closablesOf(held));
    await Promise.all(this.#closing);
  }

  /** What becomes of a rule: nothing, where nothing of it has changed. */
  #becomes(spec: EffectiveRule, before: Held | null, loops: RuleLoops): Held {
    const streams = ruleStreams({ devices: this.#devices, tenant: this.#set.tenant, rule: spec });
    if (before !== null && before.key === this.#keyOf(spec, before.asked, streams)) return { ...before, spec };
    const asked = new Set<string>();
    let sinks: readonly Sink[] = [];
    let refusal: Held["refusal"] = null;
    let running: RunningRule | null = null;
    let ends: RuleEnds | null = null;
    let lookups: RuleLookups | null = null;
    try {
      if (!spec.isStopped) {
        lookups = this.#openLookups(spec);
        const told: { rule: RunningRule | null } = { rule: null };
        sinks = this.#openSinks(spec, (message) => told.rule?.failed(message));
        const catalog: RuleStreams["catalog"] = (name) => {
          asked.add(name);
          return streams.catalog(name);
        };
        const output = (one: RuleOutput) => this.#feed.emit(() => delivered(sinks, one), one);
        running = this.#plan(spec, { ...streams, catalog }, { output, lookups });
        told.rule = running;
        ends = endsOf(spec, running);
        mustNotLoop(ends, loops);
        this.#openSources(spec, running);
      }
    } catch (error) {
      this.#close(closablesOf({ sinks, lookups }));
      [sinks, running, ends, lookups] = [[], null, null, null];
      const isLost = codeOf(error) === "rules/bad-sql" && [...asked].some((name) => streams.catalog(name) === null);
      const reason = isLost ? "rules/no-device" : codeOf(error);
      refusal = { reason, message: error instanceof Error ? error.message : String(error) };
      this.#log.warn({ rule: spec.name, ...refusal }, "A rule is refused");
    }
    const key = this.#keyOf(spec, asked, streams);
    if (running !== null) this.#feed.begin(running);
    return { spec, key, asked, running, ends, sinks, lookups, refusal };
  }

  /** @throws AppError rules/bad-sql */
  #plan(
    spec: EffectiveRule,
    streams: RuleStreams,
    { output, lookups }: Pick<RuleParts, "output"> & { readonly lookups: RuleLookups },
  ): RunningRule {
    const { clock, host, metrics, working } = this.#options;
    const { timeZone } = this.#set;
    const labels = { rule: spec.name };
    const rows = metrics.counter("penstock_rules_rows_total", "Rows that rules gave", labels);
    const errors = metrics.counter(
      "penstock_rules_errors_total",
      "Rows that a rule could not compute or act on",
      labels,
    );
    const dropped = metrics.counter(
      "penstock_rules_window_dropped_rows_total",
      "Rows that windows and tables of a rule, or its rows that wait for lookups, let go since there were too many",
      labels,
    );
    return new RunningRule(spec, {
      ...{ streams, clock, host, timeZone, offsetAt: this.#options.offsetAt(timeZone) },
      output(one) {
        rows.add(one.rows.length);
        output(one);
      },
      dropped: (count) => dropped.add(count),
      ask: (wanted) => lookups.ask(wanted),
      working: (isAtWork) => working?.(isAtWork ? spec.uid : null),
      error: (message) => {
        errors.add();
        this.#log.debug({ rule: spec.name, message }, "A rule could not compute or act on a row");
      },
    });
  }

  /** @throws AppError rules/unknown-action */
  #openSinks(spec: EffectiveRule, failed: (message: string) => void): readonly Sink[] {
    const { clock, random, files, folder, metrics } = this.#options;
    return openSinks(spec, { clock, random, files, folder, metrics, log: this.#log, site: this.#site, failed });
  }

  /** @throws AppError rules/unknown-action */
  #openLookups(spec: EffectiveRule): RuleLookups {
    const { clock, metrics } = this.#options;
    const row = (stream: string, content: ObjectValue) =>
      void this.#feed.take({ t: "row", stream, content, meta: {}, at: null, from: null });
    return openRuleLookups(spec, { clock, metrics, log: this.#log, row });
  }

  /** @throws AppError rules/unknown-action */
  #openSources({ sources }: EffectiveRule, { streams }: RunningRule): void {
    for (const source of Object.values(sources)) {
      const key = sourceKey(source);
      if (source.memory !== undefined || source.lookup !== undefined || !streams.includes(key)) continue;
      const settings = JSON.stringify(source);
      const before = this.#sources.get(key);
      if (before?.settings === settings) continue;
      const row = (content: ObjectValue, meta: ObjectValue) =>
        this.#feed.take({ t: "row", stream: key, content, meta, at: null, from: null });
      const opened = this.#options.openSource?.(source, row) ?? null;
      if (opened === null) {
        // Not its settings: a password may stand in them.
        const kind = Object.keys(source)[0] ?? "nothing";
        throw new AppError("rules/unknown-action", `This gateway cannot bring the rows of a source of kind ${kind}`);
      }
      // Another password or token: what came in with the old one ends.
      if (before !== undefined) this.#close([before.source]);
      this.#sources.set(key, { source: opened, settings });
    }
  }

  #closeUnread(): void {
    const read = new Set([...this.#held.values()].flatMap(({ running }) => running?.streams ?? []));
    for (const [key, { source }] of this.#sources) {
      if (read.has(key)) continue;
      this.#sources.delete(key);
      this.#close([source]);
    }
  }

  #keyOf(spec: EffectiveRule, asked: ReadonlySet<string>, streams: RuleStreams): string {
    const { sql, mode, isStopped, eventTime, sources, actions } = spec;
    const shapes = [...asked].map((name) => [name, streams.shapeOf(name)]);
    return JSON.stringify([sql, mode, isStopped, eventTime, sources, actions, this.#set.timeZone, shapes]);
  }

  #close(sinks: readonly Pick<Sink, "close">[]): void {
    for (const sink of sinks) {
      const closed = sink.close().finally(() => this.#closing.delete(closed));
      this.#closing.add(closed);
    }
  }
}

function closablesOf({ sinks, lookups }: Pick<Held, "sinks" | "lookups">): readonly Pick<Sink, "close">[] {
  return lookups === null ? sinks : [...sinks, lookups];
}

async function delivered(sinks: readonly Sink[], output: RuleOutput): Promise<void> {
  await Promise.all(sinks.map((sink) => sink.take(output)));
}
