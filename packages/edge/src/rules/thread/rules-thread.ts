import {
  type BusConsumer,
  type DeviceUid,
  type ListenAtBroker,
  type RuleHealth,
  type RuleUid,
  traceId,
} from "@penstock/model";
import {
  type Cancel,
  type Clock,
  type Files,
  type Log,
  type Metrics,
  sleep,
  startWorker,
  type WorkerClient,
} from "@penstock/runtime";
import type { RuleSet, Rules, RulesOptions } from "../rules.ts";
import { BatchWay } from "./batch-way.ts";
import { nearSite } from "./near-site.ts";
import { markOf, pulseAt, pulseBytes } from "./pulse.ts";
import type { ThreadEvent, ThreadMethods, ThreadStart } from "./thread-contract.ts";
import { addTold } from "./told-metrics.ts";

const file = "edge/src/rules/thread/rules-thread.ts";
/** batches that may wait; the oldest go first and are counted: a rule never holds up collecting */
const bound = 1024;
/** devices and rules of one message: to copy more of them would hold up collecting */
const partMost = 100;
const [firstPauseMs, longestPauseMs] = [100, 30_000];
/** A thread that has been well for so long begins again at once. */
const wellMs = 60_000;
const lookMs = 5000;
/** Then it is not what comes that breaks the thread, but what it finds on the disk. */
const unblamedMost = 3;
/** What actions still have under way may take so long. */
const endMs = 10_000;
/** A thread without a turn for so long is stuck: whatever counts its work ends within seconds. */
const stuckLooks = 6;

export interface RulesThreadOptions {
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly site: RulesOptions["site"] & { readonly listen: ListenAtBroker };
  /** file of the thread's program */
  readonly worker: URL;
  /** of the thread; beyond, it ends, and begins again without the rule that was at work */
  readonly heapMb: number;
  start(): Omit<ThreadStart, "pulse" | "forgets" | "offset">;
}
type Client = WorkerClient<ThreadMethods>;
/** A rule that the thread broke at; it is held back until it is another. */
interface Culprit {
  readonly generation: number;
  readonly message: string;
}

/**
 * The rules stage as the gateway sees it while the stage has a thread of its own: the thread begins with the first rule and
 * ends with the last. When it breaks, collecting goes on, and the thread begins anew with what it kept on disk.
 */
export class RulesThread implements Rules {
  readonly consumer: BusConsumer;
  readonly #options: RulesThreadOptions;
  readonly #log: Log;
  readonly #way: BatchWay;
  #client: Client | null = null;
  #set: RuleSet | null = null;
  /** to be put to work */
  #wanted: RuleSet | null = null;
  #working: Promise<void> | null = null;
  /** null: whatever comes, since it is not known yet */
  #reads: ReadonlySet<DeviceUid> | null = new Set();
  #status: readonly RuleHealth[] = [];
  readonly #culprits = new Map<RuleUid, Culprit>();
  #failures = 0;
  /** losses in a row for which no rule could be blamed */
  #unblamed = 0;
  #offset: number | null = null;
  #hasRun = false;
  #isClosed = false;
  readonly #closing = new AbortController();
  #stopLooking: Cancel = () => {};

  constructor(options: RulesThreadOptions) {
    this.#options = options;
    this.#log = options.log.with({ stage: "rules" });
    const lost = options.metrics.counter(
      "penstock_rules_dropped_readings_total",
      "Readings that were under way to the rules when their thread was lost",
    );
    this.#way = new BatchWay({ lost: (readings) => lost.add(readings) });
    this.consumer = {
      ...{ name: "rules", bound, policy: "drop-oldest" },
      take: (batch) => {
        if (this.#reads !== null && !this.#reads.has(batch.layout.device)) return;
        if (this.#log.tracing) this.#log.trace({ file, id: traceId(batch) }, "To the rules' thread");
        return this.#way.take(batch);
      },
    };
  }

  /** wall − monotonic microseconds, as the cloud has told it */
  learn(time: { readonly offset: number }): void {
    this.#offset ??= time.offset;
    void this.#client?.call("learn", time).catch(() => {});
  }

  apply(set: RuleSet): Promise<void> {
    this.#set = set;
    this.#wanted = set;
    if (set.rules.length > 0) this.#reads = null;
    for (const [uid, { generation }] of this.#culprits)
      if (set.rules.find((rule) => rule.uid === uid)?.generation !== generation) this.#culprits.delete(uid);
    return this.#working ?? this.#workOn(Promise.resolve());
  }

  status(): readonly RuleHealth[] {
    if (this.#culprits.size === 0) return this.#status;
    const failed = this.#status.map((health): RuleHealth => {
      const culprit = this.#culprits.get(health.rule);
      if (culprit === undefined) return health;
      return { ...health, state: "failed", reason: "rules/over-budget", message: culprit.message };
    });
    return failed.toSorted((a, b) => Number(b.state === "failed") - Number(a.state === "failed"));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort();
    await this.#end();
    await this.#working;
    // One that was only beginning.
    await this.#end();
  }

  #workOn(begin: Promise<void>): Promise<void> {
    this.#working = begin
      .then(() => this.#work())
      .finally(() => {
        this.#working = null;
      });
    return this.#working;
  }

  /** Puts what is wanted to work, and what is wanted meanwhile. */
  async #work(): Promise<void> {
    while (this.#wanted !== null && !this.#isClosed) {
      const set = this.#wanted;
      try {
        if (this.#client === null && !(await this.#isNeeded(set))) {
          this.#rest(set);
          continue;
        }
        const client = this.#client ?? (await this.#start());
        this.#client = client;
        if (this.#isClosed) return;
        if (this.#wanted === set) this.#wanted = null;
        await this.#put(client, set);
        this.#giveTo(client);
        if (this.#wanted === null && set.rules.length === 0) await this.#end();
      } catch (error) {
        this.#wanted ??= set;
        if (this.#isClosed) return;
        this.#log.error({ error }, "Rules are not as assigned");
        await this.#pause();
      }
    }
  }

  async #isNeeded({ rules }: RuleSet): Promise<boolean> {
    if (rules.length > 0) return true;
    // What rules that are no more have left is removed, once.
    return !this.#hasRun && (await this.#options.files.exists(this.#options.start().folder));
  }

  /** No rules, no thread. */
  #rest(set: RuleSet): void {
    if (this.#wanted !== set) return;
    this.#wanted = null;
    this.#reads = new Set();
    this.#status = [];
    this.#way.forget();
  }

  async #put(client: Client, set: RuleSet): Promise<void> {
    const { devices, tenant, timeZone } = set;
    const rules = set.rules.map((rule) => (this.#culprits.has(rule.uid) ? { ...rule, isStopped: true } : rule));
    for (let at = 0; at < Math.max(devices.length, rules.length); at += partMost) {
      const part = { devices: devices.slice(at, at + partMost), rules: rules.slice(at, at + partMost) };
      await client.call("part", part);
    }
    const { reads, status } = await client.call("apply", { tenant, timeZone });
    this.#status = status;
    // What is wanted by now may read more.
    if (this.#wanted === null) this.#reads = new Set(reads);
  }

  /** What came before the first rules were at work has waited. */
  #giveTo(client: Client): void {
    if (this.#client === client && !this.#way.isOpen)
      this.#way.open((batches) => client.call("take", batches, [batches.bytes.buffer]));
  }

  async #start(): Promise<Client> {
    const { worker, heapMb, site, metrics, clock } = this.#options;
    const pulse = new SharedArrayBuffer(pulseBytes);
    const seen = new Int32Array(pulse);
    const began = clock.monotonic();
    let client: Client | null = null;
    const lose = (error: Error) => {
      near.close();
      if (this.#client === client) this.#lost(error, seen, began);
    };
    const near = nearSite(site, async (method, input) => {
      await client?.call(method, input as never);
    });
    const forgets = this.#unblamed >= unblamedMost;
    if (forgets) this.#log.error({}, "What the rules remember is set aside: their thread does not live with it");
    const start = { ...this.#options.start(), offset: this.#offset, forgets, pulse };
    client = await startWorker<ThreadMethods>(worker, {
      ...{ data: start, heapMb, youngMb, methods: near.methods },
      onEvent: (event) => {
        const told = event as ThreadEvent;
        if (told.t === "metrics") addTold(metrics, told.changes);
        else this.#status = told.status;
      },
      onLost: lose,
    });
    this.#hasRun = true;
    const running = client;
    this.#stopLooking = this.#watch(seen, () => {
      lose(new Error(`It had no turn for ${(stuckLooks * lookMs) / 1000} s`));
      void running.kill();
    });
    return running;
  }

  /** Ends a thread that has no turns any more. */
  #watch(pulse: Int32Array, kill: () => void): Cancel {
    const { clock } = this.#options;
    let cancel: Cancel = () => {};
    let last = -1;
    let still = 0;
    const look = () => {
      const beat = Atomics.load(pulse, pulseAt.beat);
      still = beat === last ? still + 1 : 0;
      last = beat;
      if (still >= stuckLooks) kill();
      else cancel = clock.after(lookMs, look);
    };
    look();
    return () => cancel();
  }

  #lost(error: Error, seen: Int32Array, began: number): void {
    this.#client = null;
    this.#stopLooking();
    this.#way.pause();
    this.#reads = null;
    if (this.#isClosed || this.#set === null) return;
    if (this.#options.clock.monotonic() - began > wellMs * 1000) [this.#failures, this.#unblamed] = [0, 0];
    // Where none is at work, the one that was the last is suspected from the second time on.
    const mark = Atomics.load(seen, pulseAt.rule) || (this.#unblamed > 0 ? Atomics.load(seen, pulseAt.last) : 0);
    const culprit = mark === 0 ? undefined : this.#set.rules.find(({ uid }) => markOf(uid) === mark);
    this.#unblamed = culprit === undefined ? this.#unblamed + 1 : 0;
    if (culprit !== undefined) {
      const message =
        "The rules' thread broke or hung while this rule was at work; it is held back until it is changed";
      this.#culprits.set(culprit.uid, { generation: culprit.generation, message });
    }
    this.#log.error({ error, rule: culprit?.name }, "The rules' thread is lost; it begins anew");
    this.#options.metrics.counter("penstock_rules_thread_losses_total", "Times that the rules' thread was lost").add();
    this.#wanted ??= this.#set;
    // Whoever is at work hears of it.
    if (this.#working === null) this.#workOn(this.#pause());
  }

  /** Longer each time. */
  async #pause(): Promise<void> {
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures++);
    await sleep(this.#options.clock, pauseMs, this.#closing.signal).catch(() => {});
  }

  async #end(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    this.#stopLooking();
    this.#way.pause();
    this.#way.forget();
    if (client === null) return;
    this.#reads = new Set();
    this.#status = [];
    const cancel = this.#options.clock.after(endMs, () => void client.kill());
    await client.close().catch((error: unknown) => this.#log.error({ error }, "The rules' thread did not end well"));
    cancel();
  }
}

/** Rules make little that lives long: a small nursery costs them next to nothing and spares memory. */
const youngMb = 8;
