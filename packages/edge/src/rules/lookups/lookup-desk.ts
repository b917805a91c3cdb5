import { AppError, limits } from "@penstock/model";
import type { Answer, Wanted } from "@penstock/rules";
import type { Cancel, Clock, Log, Metrics } from "@penstock/runtime";
import { saidBy } from "../sinks/delivery/peer-error.ts";
import type { LookupPeer, PeerAnswer } from "./lookup-peer.ts";

/** questions that wait; beyond, the oldest fail and are counted */
const bound = limits.lookupWaitingRows;
/** between two tries while the peer is away; each twice the one before */
const pauseFirstMs = 100;
const pauseMostMs = 5000;

export interface LookupDeskOptions {
  readonly peer: LookupPeer;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly rule: string;
  readonly table: string;
  /** of each question, from when it is asked until it is answered */
  readonly timeoutMs: number;
  /** takes what came of questions, in no order */
  answer(answers: readonly Answer[]): void;
}

interface Question {
  readonly wanted: Wanted;
  /** microseconds of the monotonic clock */
  readonly until: number;
}

/**
 * Asks a peer what one lookup table of a rule wants, many questions together and each once. Every question ends: with its
 * rows, or with why there are none when its time is over. While the peer is away it is tried again with growing pauses; once
 * it has been away for as long as a question may take, questions fail at once between the tries, so that rows go on.
 */
export class LookupDesk {
  readonly #options: LookupDeskOptions;
  readonly #questions: ReturnType<Metrics["counter"]>;
  readonly #failures: ReturnType<Metrics["counter"]>;
  readonly #waiting = new Map<string, Question>();
  #underway: { readonly questions: Map<string, Question>; readonly abort: AbortController } | null = null;
  #asking: Promise<void> = Promise.resolve();
  #next: Cancel | null = null;
  #deadline: Cancel | null = null;
  /** null: it answered last */
  #away: { readonly since: number; readonly pauseMs: number; readonly until: number; readonly why: string } | null =
    null;
  #isClosed = false;

  constructor(options: LookupDeskOptions) {
    const { metrics, rule, table } = options;
    const labels = { rule, table };
    this.#options = options;
    this.#questions = metrics.counter(
      "penstock_rules_lookup_questions_total",
      "Questions of rules to lookup tables",
      labels,
    );
    this.#failures = metrics.counter(
      "penstock_rules_lookup_failures_total",
      "Questions of rules to lookup tables without an answer",
      labels,
    );
  }

  /** What is being asked already is not asked twice. */
  ask(wanted: Wanted): void {
    const { key } = wanted;
    if (this.#isClosed || this.#waiting.has(key) || this.#underway?.questions.has(key) === true) return;
    this.#questions.add();
    this.#waiting.set(key, { wanted, until: this.#now() + this.#options.timeoutMs * 1000 });
    // Those of one turn go together; and nobody is answered while he asks.
    this.#plan();
  }

  /** Nothing is answered any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#next?.();
    this.#deadline?.();
    this.#waiting.clear();
    this.#underway?.abort.abort();
    await this.#asking;
    await this.#options.peer.close();
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #plan(): void {
    const { clock } = this.#options;
    if (this.#isClosed) return;
    const inMs = (micros: number) => Math.max(0, Math.ceil((micros - this.#now()) / 1000));
    const isOver = this.#waiting.size > bound;
    const mayTry = this.#underway === null && this.#waiting.size > 0;
    if (this.#next === null && (mayTry || isOver)) {
      this.#next = clock.after(isOver || this.#isHopeless ? 0 : inMs(this.#away?.until ?? 0), () => {
        this.#next = null;
        this.#turn();
      });
    }
    if (this.#deadline !== null) return;
    const [oldest] = this.#underway?.questions.values() ?? [];
    const [next] = this.#waiting.values();
    const first = oldest ?? next;
    if (first === undefined) return;
    this.#deadline = clock.after(inMs(first.until), () => {
      this.#deadline = null;
      this.#expire();
      this.#plan();
    });
  }

  /** It has been away for so long that nobody waits for it any more. */
  get #isHopeless(): boolean {
    return this.#away !== null && this.#now() - this.#away.since >= this.#options.timeoutMs * 1000;
  }

  #turn(): void {
    const over = this.#waiting.size - bound;
    if (over > 0) this.#fail([...this.#waiting.values()].slice(0, over), `more than ${bound} questions wait`);
    if (this.#underway !== null) return;
    if (this.#away !== null && this.#now() < this.#away.until) {
      if (this.#isHopeless) this.#fail([...this.#waiting.values()], this.#away.why);
    } else if (this.#waiting.size > 0) this.#asking = this.#try();
    this.#plan();
  }

  async #try(): Promise<void> {
    const { peer } = this.#options;
    const questions = new Map([...this.#waiting].slice(0, peer.most));
    for (const key of questions.keys()) this.#waiting.delete(key);
    const abort = new AbortController();
    this.#underway = { questions, abort };
    const asked = [...questions.values()].map(({ wanted }) => wanted);
    try {
      const asking = peer.ask(
        asked.map(({ keys }) => keys),
        abort.signal,
      );
      const found = await Promise.race([asking, ended(abort.signal)]);
      if (this.#away !== null) this.#options.log.info(this.#shown, "A lookup table of a rule answers again");
      this.#away = null;
      // Whoever gets the answers may ask the same again.
      this.#underway = null;
      const left = asked.flatMap((wanted, at) => (questions.has(wanted.key) ? [{ wanted, found: found[at]! }] : []));
      this.#answer(left);
    } catch (error) {
      this.#broken(questions, error);
    }
    this.#underway = null;
    this.#plan();
  }

  /** Its questions are asked again, as far as they have time. */
  #broken(questions: ReadonlyMap<string, Question>, error: unknown): void {
    const left = [...questions.values()];
    const why = saidBy(error);
    if (error instanceof AppError && error.code === "rules/sink-refused") {
      this.#fail(left, why);
      return;
    }
    const now = this.#now();
    const pauseMs = Math.min(pauseMostMs, this.#away === null ? pauseFirstMs : this.#away.pauseMs * 2);
    if (this.#away === null && !this.#isClosed)
      this.#options.log.warn({ ...this.#shown, why }, "A lookup table of a rule does not answer");
    this.#away = { since: this.#away?.since ?? now, pauseMs, until: now + pauseMs * 1000, why };
    const newer = [...this.#waiting];
    this.#waiting.clear();
    for (const question of left) this.#waiting.set(question.wanted.key, question);
    for (const [key, question] of newer) this.#waiting.set(key, question);
    if (this.#isHopeless) this.#fail([...this.#waiting.values()], why);
  }

  #expire(): void {
    const now = this.#now();
    const why = this.#away?.why ?? `no answer in ${this.#options.timeoutMs} ms`;
    const all = [...(this.#underway?.questions.values() ?? []), ...this.#waiting.values()];
    this.#fail(
      all.filter(({ until }) => until <= now),
      why,
    );
    if (this.#underway?.questions.size === 0) this.#underway.abort.abort();
  }

  #fail(questions: readonly Question[], failure: string): void {
    if (questions.length === 0) return;
    for (const { wanted } of questions) {
      this.#waiting.delete(wanted.key);
      this.#underway?.questions.delete(wanted.key);
    }
    this.#answer(questions.map(({ wanted }) => ({ wanted, found: { failure } })));
  }

  #answer(all: readonly { readonly wanted: Wanted; readonly found: PeerAnswer }[]): void {
    if (this.#isClosed || all.length === 0) return;
    this.#options.answer(
      all.map(({ wanted: { table, key }, found }): Answer => {
        if (!("failure" in found)) return { table, key, rows: found };
        this.#failures.add();
        return { table, key, failure: found.failure };
      }),
    );
  }

  get #shown() {
    const { rule, table, peer } = this.#options;
    return { rule, table, peer: peer.name };
  }
}

/** Rejects when the signal ends what is waited for: a peer may take its time to notice. */
function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(new Error("no answer in time"));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
