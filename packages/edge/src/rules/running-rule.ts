import {
  type DeviceUid,
  type EffectiveRule,
  type ErrorCode,
  type Layout,
  limits,
  type Micros,
  type ReadingBatch,
} from "@penstock/model";
import {
  batchReader,
  type HostFunctions,
  momentOfText,
  type ObjectValue,
  type OffsetAt,
  type Plan,
  planQuery,
  QueryRunner,
  type Row,
  rowBounds,
  rowReader,
  type Saved,
  type SourceLayout,
  type SourceRow,
  TooMuchWork,
  type Wanted,
  Watermark,
} from "@penstock/rules";
import type { Clock } from "@penstock/runtime";
import { Budget } from "./budget.ts";
import { answerStream, answersIn } from "./lookups/answer-rows.ts";
import type { RuleStreams } from "./rule-streams.ts";
import type { RuleOutput } from "./sinks/sink.ts";
import type { RuleInput } from "./state/rule-state.ts";

/** rows that wait for earlier ones; beyond, the oldest go on */
const waitingRows = 10_000;
/** after which a question is asked again that nobody has answered: an answer may have been lost with other inputs */
const askAgainMicros = 30_000_000;

export interface RuleParts {
  readonly streams: RuleStreams;
  readonly clock: Clock;
  readonly host: HostFunctions;
  /** IANA; days and local windows are counted in it */
  readonly timeZone: string;
  readonly offsetAt: OffsetAt;
  /** results, in order */
  output(output: RuleOutput): void;
  error(message: string): void;
  /** rows that went since the rule would remember too much */
  dropped(rows: number): void;
  /** asks a lookup table; what comes of it comes as a row of the stream `answerStream`, which is the rule's alone */
  ask(wanted: Wanted): void;
  /** told before and after it works: whoever finds the thread broken or stuck knows at which rule */
  working?(isAtWork: boolean): void;
}

/** What a rule has done since it began. */
export interface RuleCounts {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly errors: number;
  /** of the last error; null: none */
  readonly lastError: string | null;
}

/** How the batches of a device become rows; of one that rules wrote, only where the query names a column of it. */
interface Reader {
  readonly read: (batch: ReadingBatch) => Row;
  isWanted(layout: Layout): boolean;
}

/**
 * One rule at work: inputs in, results out. The same inputs give the same results with the same numbers: time is that of
 * the inputs.
 */
export class RunningRule {
  readonly id: string;
  /** equal: the query has the same plan */
  readonly key: string;
  readonly plan: Plan;
  readonly #name: string;
  readonly #parts: RuleParts;
  readonly #runner: QueryRunner;
  readonly #budget: Budget;
  readonly #watermark: Watermark | null;
  readonly #idleAfterMicros: number;
  readonly #byDevice = new Map<DeviceUid, Reader[]>();
  readonly #byStream = new Map<string, ((input: Extract<RuleInput, { t: "row" }>) => Row)[]>();
  /** lookup tables by the streams in which their answers come */
  readonly #byAnswers = new Map<string, string>();
  /** of each source its place among those that bring rows */
  readonly #placeOf: readonly number[];
  #askedAt = 0;
  readonly #counts = { rowsIn: 0, rowsOut: 0, errors: 0, lastError: null as string | null };
  /** of what its runner dropped, what was told */
  #dropped = 0;
  #now = 0 as Micros;
  /** when sources count as idle that say nothing more */
  #idleAt: number | null = null;
  #failure: { readonly reason: ErrorCode; readonly message: string } | null = null;

  /** @throws AppError rules/bad-sql when the query cannot be read, or does not fit the devices */
  constructor(spec: EffectiveRule, parts: RuleParts) {
    const { streams, clock, host, timeZone, offsetAt } = parts;
    const { uid, name, sql, mode, eventTime } = spec;
    this.id = uid;
    this.#name = name;
    this.#parts = parts;
    const now = clock.now();
    const { catalog } = streams;
    // As eKuiper does unless sendNilField is set.
    const omitNull = mode === "compat";
    this.plan = planQuery({ sql, mode, host, timeZone, offsetAt, ruleId: name, startedAt: now, catalog, omitNull });
    this.#budget = new Budget(clock, this.plan.rowUnits);
    for (const source of this.plan.sources) this.#read(source, streams);
    const bringing = this.plan.sources.filter(({ stream }) => streams.source(stream)?.lookup === undefined);
    this.#placeOf = this.plan.sources.map((source) => bringing.indexOf(source));
    const shapes = this.plan.sources.map(({ stream }) => [stream, streams.shapeOf(stream)]);
    this.key = JSON.stringify([sql, mode, eventTime, timeZone, shapes]);
    this.#idleAfterMicros = (eventTime?.idleAfterMs ?? 0) * 1000;
    this.#watermark =
      eventTime === null
        ? null
        : new Watermark(
            {
              sources: bringing.length,
              toleranceMicros: eventTime.lateToleranceMs * 1000,
              idleAfterMicros: this.#idleAfterMicros,
              most: waitingRows,
            },
            now,
          );
    this.#runner = new QueryRunner(this.plan, {
      rows: (rows, number) => this.#give(rows, number),
      error: ({ message }) => this.failed(message),
    });
  }

  get devices(): readonly DeviceUid[] {
    return [...this.#byDevice.keys()];
  }

  get streams(): readonly string[] {
    return [...this.#byStream.keys(), ...this.#byAnswers.keys()];
  }

  get counts(): RuleCounts {
    return { ...this.#counts };
  }

  /** why it has stopped by itself; null: it has not */
  get failure(): { readonly reason: ErrorCode; readonly message: string } | null {
    return this.#failure;
  }

  /** Gives what a version before it gave, and no action has taken. */
  giveAgain(output: Omit<RuleOutput, "rule">): void {
    this.#parts.output({ ...output, rule: this.#name });
  }

  /** A row, or an action for it, that could not be done; the rule goes on. */
  failed(message: string): void {
    this.#counts.errors++;
    this.#counts.lastError = message.slice(0, 500);
    this.#parts.error(message);
  }

  /** of the last output */
  get number(): number {
    return this.#runner.number;
  }

  numberFrom(number: number): void {
    this.#runner.numberFrom(number);
  }

  get hasState(): boolean {
    return this.plan.hasState || this.#watermark !== null;
  }

  save(): Saved {
    const waiting = this.#watermark === null ? null : [this.#watermark.save(), this.#idleAt];
    return [this.#runner.save(), this.key, waiting];
  }

  /** Rows that wait for earlier ones are taken up by an equal plan only: of another they have other columns. */
  restore(saved: Saved): void {
    const [runner, key, waiting] = saved as readonly [Saved, string, readonly [Saved, number | null] | null];
    this.#runner.restore(runner);
    if (this.#watermark === null || waiting === null || key !== this.key) return;
    this.#watermark.restore(waiting[0]);
    this.#idleAt = waiting[1];
  }

  /** A rule that breaks, or takes too long, stops alone. */
  take(input: RuleInput, { isAgain = false }: { readonly isAgain?: boolean } = {}): void {
    if (this.#failure !== null) return;
    const work = () => this.#take(input);
    this.#parts.working?.(true);
    try {
      if (isAgain) this.#budget.bound(work);
      else this.#budget.spend(work);
    } catch (error) {
      if (error instanceof TooMuchWork) this.failed(error.message);
      else this.#stop("internal", error instanceof Error ? error.message : String(error));
    } finally {
      this.#parts.working?.(false);
    }
    if (this.#failure === null && !this.#budget.isWithin)
      this.#stop("rules/over-budget", "It used more than half of a processor core for several seconds");
    if (this.#runner.dropped > this.#dropped) this.#tellDropped();
    const asks = this.#runner.newlyWanted();
    if (isAgain || this.#failure !== null || this.#byAnswers.size === 0) return;
    if (input.now - this.#askedAt > askAgainMicros) this.askAgain();
    else for (const wanted of asks) this.#parts.ask(wanted);
  }

  /** Asks for all that it waits for: what was asked before a restart nobody answers any more. */
  askAgain(): void {
    this.#askedAt = this.#now;
    if (this.#failure === null) for (const wanted of this.#runner.wanted) this.#parts.ask(wanted);
  }

  #stop(reason: ErrorCode, text: string): void {
    const message = text.slice(0, 500);
    this.#failure = { reason, message };
    this.failed(message);
  }

  #tellDropped(): void {
    const { dropped } = this.#runner;
    this.#parts.dropped(dropped - this.#dropped);
    const { rows, chars } = rowBounds;
    const most = `a window or table keeps ${rows} rows and ${chars} characters at most, and ${limits.lookupWaitingRows} wait for answers`;
    if (this.#dropped === 0) this.failed(`It would remember too much, and forgets the oldest: ${most}`);
    this.#dropped = dropped;
  }

  /** when `take` of a tick has something to do, microseconds; null: nothing by time alone */
  due(): number | null {
    if (this.#failure !== null) return null;
    return this.#watermark === null ? this.#runner.due() : this.#idleAt;
  }

  #take(input: RuleInput): void {
    this.#now = input.now;
    if (this.#watermark === null) this.#closeUntil(input.now);
    else if (this.#idleAt !== null && this.#idleAt <= input.now) this.#inOrder(this.#watermark.tick(this.#idleAt));
    switch (input.t) {
      case "tick":
        return;
      case "batch":
        for (const { read, isWanted } of this.#byDevice.get(input.batch.layout.device) ?? []) {
          if (isWanted(input.batch.layout)) this.#push(read(input.batch), input.batch.baseTime);
        }
        return;
      case "row": {
        const table = this.#byAnswers.get(input.stream);
        if (table !== undefined) this.#runner.answer(answersIn(table, input.content), this.#now);
        for (const read of this.#byStream.get(input.stream) ?? []) this.#push(read(input), input.at);
      }
    }
  }

  /** Windows close at their own time, whenever a timer fires. */
  #closeUntil(now: Micros): void {
    for (let due = this.#runner.due(); due !== null && due <= now; due = this.#runner.due()) {
      this.#runner.tick(due, due);
      // Nothing gave way: whatever it waits for, it is not time.
      if (this.#runner.due() === due) return;
    }
  }

  /** @param at the row's own time; without event time a row is of the moment at which it came */
  #push(row: Row, at: number): void {
    this.#counts.rowsIn++;
    if (this.#watermark === null) {
      this.#runner.push({ ...row, at: this.#now }, this.#now);
      return;
    }
    this.#idleAt = this.#now + this.#idleAfterMicros;
    this.#inOrder(this.#watermark.push({ source: this.#placeOf[row.source]!, row: { ...row, at } }, this.#now));
  }

  #inOrder(rows: readonly SourceRow[]): void {
    for (const { row } of rows) this.#runner.push(row, this.#now);
    const { mark } = this.#watermark!;
    if (mark !== Number.NEGATIVE_INFINITY) this.#runner.tick(mark, this.#now);
    if (this.#idleAt !== null && this.#idleAt <= this.#now) this.#idleAt = null;
  }

  #read(source: SourceLayout, streams: RuleStreams): void {
    if (streams.source(source.stream)?.lookup !== undefined) {
      this.#byAnswers.set(answerStream(this.id, source.stream), source.stream);
      return;
    }
    const device = streams.device(source.stream);
    if (device === null) {
      const { timestamp } = streams.source(source.stream) ?? {};
      const read = rowReader(source, { name: source.stream, columns: streams.columnsOf(source.stream) });
      const key = streams.keyOf(source.stream);
      const of = this.#byStream.get(key) ?? [];
      const texts = { timeZone: this.#parts.timeZone, mode: this.plan.mode };
      of.push(({ content, meta, at }) => read({ content, meta, at: momentIn(content, timestamp, texts) ?? at }));
      this.#byStream.set(key, of);
      return;
    }
    const calculated = new Set(device.properties.flatMap((one) => (one.isCalculated === true ? [one.name] : [])));
    const named = new Set(source.columns.flatMap((column) => (column.t === "column" ? [column.name] : [])));
    const wanted = new WeakMap<Layout, boolean>();
    const isWanted = (layout: Layout): boolean => {
      const known = wanted.get(layout);
      if (known !== undefined) return known;
      const { properties } = layout;
      const found = properties.some(({ name }) => !calculated.has(name) || named.has(name));
      wanted.set(layout, found);
      return found;
    };
    const of = this.#byDevice.get(device.uid) ?? [];
    of.push({ read: batchReader(source, streams.metaOf(device)), isWanted });
    this.#byDevice.set(device.uid, of);
  }

  #give(rows: readonly ObjectValue[], number: number): void {
    this.#counts.rowsOut += rows.length;
    this.#parts.output({ rule: this.#name, number, time: this.#now, rows });
  }
}

/** microseconds; null where the row does not say */
function momentIn(
  content: ObjectValue,
  column: string | undefined,
  texts: Parameters<typeof momentOfText>[1],
): number | null {
  const value = column === undefined ? undefined : content[column];
  if (typeof value === "string") return momentOfText(value, texts);
  const ms = Number(value ?? Number.NaN);
  return Number.isFinite(ms) ? Math.round(ms * 1000) : null;
}
