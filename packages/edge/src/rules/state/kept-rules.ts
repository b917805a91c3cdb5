import { type DeviceUid, limits, type Micros } from "@penstock/model";
import { encodeSavedWithin, type Saved } from "@penstock/rules";
import { type Clock, type Log, sleep } from "@penstock/runtime";
import type { Checkpoint, RuleCheckpoint } from "./checkpoint.ts";
import { Checkpointer } from "./checkpointer.ts";
import { FedRules, type Held } from "./fed-rules.ts";
import type { FoundInputs } from "./input-journal.ts";
import { InputKeeper } from "./input-keeper.ts";
import {
  encodeInput,
  encodeRule,
  type InputRecord,
  type Origin,
  type RuleRecord,
  savedOutput,
} from "./input-record.ts";
import { InputTurns, type StartedInput } from "./input-turns.ts";
import { type Deliver, Ledger } from "./ledger.ts";
import type { RuleStateOptions } from "./open-rule-state.ts";
import type { GivenOutput, NewInput, RuleInput, RuleState, RuleStateStatus, StatefulRule } from "./rule-state.ts";
import { RuleTimer } from "./rule-timer.ts";
import { type StateMetrics, stateMetrics } from "./state-metrics.ts";
import { TakeUp } from "./take-up.ts";

const everyMsLeast = 1000;
/** Inputs that may wait for the disk; beyond, the bus keeps what comes, within its own bound. */
const unsyncedMost = 512;
/** Of outputs that no sink has taken when their rule is changed, beside what the new one takes over; beyond, the oldest go. */
const untakenBytes = 1024 * 1024;
/** of one turn in what goes through all rules or inputs: others have their own between */
const sliceMicros = 10_000;
/** Rules that have ended and whose numbers go on if they come back; beyond, the oldest are forgotten. */
const endedMost = 1000;

/** What was found of an earlier process. */
export interface Found {
  readonly checkpoint: Checkpoint | null;
  readonly inputs: FoundInputs;
  /** false: inputs are missing that rules have seen */
  readonly isWhole: boolean;
}

/** Feeds rules from what is kept over restarts, and keeps what they are fed with. */
export class KeptRules implements RuleState {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #metrics: StateMetrics;
  readonly #found: Found;
  readonly #ledger: Ledger;
  readonly #rules: FedRules;
  readonly #keeper: InputKeeper;
  readonly #checkpointer: Checkpointer;
  readonly #timer: RuleTimer;
  readonly #turns: InputTurns;
  readonly #ended: Map<string, number>;
  readonly #origins: Map<string, Origin>;
  #now: Micros;
  #replaying: Promise<void> | null = null;
  #isLive = false;
  #isClosed = false;
  /** rules that begin and end while others are brought to where they were */
  readonly #later: (() => void)[] = [];

  constructor(options: RuleStateOptions, found: Found) {
    const { files, folder, clock, log } = options;
    const { checkpoint, inputs } = found;
    const { journal } = inputs;
    const metrics = stateMetrics(options.metrics);
    const reached = checkpoint?.position ?? 0;
    const ledger = new Ledger(Math.max(inputs.last, reached));
    this.#clock = clock;
    this.#log = log;
    this.#metrics = metrics;
    this.#found = found;
    this.#ledger = ledger;
    this.#rules = new FedRules({ ledger, log, onTaken: () => this.#checkpointer.settled() });
    this.#keeper = new InputKeeper({
      ...{ journal, files, folder, log, metrics, bytesMost: options.journalBytes ?? 64 * 1024 * 1024 },
      onSynced: (position) => {
        this.#rules.send(ledger.synced(position));
        this.#checkpointer.settled();
      },
      makeRoom: () => this.#checkpointer.force(),
    });
    this.#checkpointer = new Checkpointer({
      ...{ files, folder, clock, log, metrics, journal, keeper: this.#keeper, ledger, reached },
      everyMs: Math.max(everyMsLeast, options.checkpointEveryMs ?? 10_000),
      save: (then) => this.#save(then),
    });
    this.#timer = new RuleTimer({ clock, run: () => this.#turns.push({ t: "tick" }) });
    this.#turns = new InputTurns({
      clock,
      start: (coming) => (coming.t === "tick" ? this.#startTick() : this.#start(coming)),
      feed: (held, input) => this.#feed(held, input),
      finished: (input) => this.#finished(input),
      rested: () => this.#timer.arm(this.#rules.all()),
      dropped: () => metrics.missed.add(),
    });
    this.#now = checkpoint?.now ?? (0 as Micros);
    this.#ended = new Map(checkpoint?.ended);
    this.#origins = new Map(checkpoint?.origins.map((one) => [one.rule, one]));
  }

  begin(rule: StatefulRule): void {
    if (this.#waits(() => this.begin(rule))) return;
    const before = this.#rules.get(rule.id);
    const held: Held = { rule, isExact: before?.isExact ?? true, isSilent: !this.#isLive, isResting: false };
    this.#rules.set(held);
    if (!this.#isLive) return;
    if (before !== undefined) rule.restore(before.rule.save());
    // Also of one that comes new: when it began is in it.
    this.#noteBegin(held, { state: this.#encoded(rule.save()), number: 0 });
    this.#timer.arm([held]);
  }

  end(id: string, { keepsNumber }: { readonly keepsNumber: boolean }): void {
    if (this.#waits(() => this.end(id, { keepsNumber }))) return;
    const held = this.#rules.get(id);
    if (keepsNumber && held !== undefined) this.#remember(id, held.rule.number);
    if (!keepsNumber) this.#ended.delete(id);
    if (this.#rules.delete(id) && this.#isLive) this.#note({ t: "end", rule: id });
  }

  replay(): Promise<void> {
    this.#replaying ??= this.#replay();
    return this.#replaying;
  }

  reads(input: { readonly device: DeviceUid } | { readonly stream: string }): boolean {
    return this.#rules.reads(input);
  }

  take(input: NewInput): void | Promise<void> {
    if (this.#isClosed) return;
    this.#turns.push(input);
    // What comes meanwhile waits at the bus, within its bound.
    if (!this.#isLive) return this.#replaying ?? undefined;
    if (this.#turns.going !== null) return this.#turns.going;
    if (this.#ledger.unsynced > unsyncedMost && this.#keeper.writing !== null) return this.#keeper.writing;
  }

  emit(deliver: Deliver, output: GivenOutput | null = null): void {
    this.#rules.emit(deliver, output);
  }

  status(): RuleStateStatus {
    return {
      isDurable: this.#keeper.isDurable,
      journalBytes: this.#found.inputs.journal.bytes,
      checkpointBytes: this.#metrics.checkpointBytes.value,
      inexact: [...this.#rules.all()].flatMap(({ rule, isExact }) => (isExact ? [] : [rule.id])),
    };
  }

  isExact(id: string): boolean | null {
    return this.#rules.get(id)?.isExact ?? null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer.close();
    await this.#turns.close();
    while (this.#keeper.writing !== null) await this.#keeper.writing;
    if (this.#isLive) await this.#checkpointer.close();
    await this.#found.inputs.journal.close();
  }

  // ── where rules were ────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns whether it is done later, when rules are where they were */
  #waits(change: () => void): boolean {
    const isWaiting = this.#replaying !== null && !this.#isLive;
    if (isWaiting) this.#later.push(change);
    return isWaiting;
  }

  async #replay(): Promise<void> {
    const { checkpoint, inputs, isWhole } = this.#found;
    const log = this.#log;
    try {
      const takeUp = await TakeUp.after(checkpoint, { found: inputs, isWhole, log, now: this.#clock.now() });
      const begun = new Map([...this.#rules.all()].map((held) => [held, takeUp.restore(held)]));
      const mayGoOn = this.#slice();
      const giveWay = async () => {
        if (!mayGoOn()) await sleep(this.#clock, 0);
      };
      await inputs.read(checkpoint?.position ?? 0, async (position, record) => {
        switch (record?.t) {
          case "input":
            await this.#feedAgain(record, { position, begun, giveWay });
            return;
          case "begin":
          case "stop": {
            const held = this.#rules.get(record.rule);
            const at = held === undefined ? undefined : begun.get(held);
            if (held === undefined || at === undefined || at > position) return;
            if (record.t === "begin") this.#rules.giveAgain(held, record.outputs, position);
            else held.isResting = true;
          }
        }
      });
      for (const id of takeUp.ids()) if (this.#rules.get(id) === undefined) this.#remember(id, takeUp.unusedNumber(id));
      for (const held of this.#rules.all()) {
        // One that had stopped goes on from there: what it did not see then no replay to come may show it either.
        if (held.isResting) held.isExact = false;
        if (!held.isSilent && !held.isResting) continue;
        const number = held.isSilent ? takeUp.unusedNumber(held.rule.id) : 0;
        this.#noteBegin(held, { state: this.#encoded(held.rule.save()), number });
      }
    } catch (error) {
      log.error({ error }, "Cannot take up what rules had read: what they remember is not exact");
      for (const held of this.#rules.all()) held.isExact = false;
    }
    this.#isLive = true;
    for (const held of this.#rules.all()) [held.isSilent, held.isResting] = [false, false];
    for (const change of this.#later.splice(0)) change();
    this.#timer.arm(this.#rules.all());
    if (this.#ledger.head > (checkpoint?.position ?? 0)) this.#checkpointer.changed();
    this.#turns.release();
  }

  async #feedAgain(
    { input, from }: InputRecord & { readonly t: "input" },
    of: {
      readonly position: number;
      readonly begun: ReadonlyMap<Held, number>;
      readonly giveWay: () => Promise<void>;
    },
  ): Promise<void> {
    const { position, begun, giveWay } = of;
    if (from !== null) this.#origins.set(from.rule, from);
    this.#now = Math.max(this.#now, input.now) as Micros;
    for (const held of this.#rules.readersOf(input)) {
      if (held.isResting || (begun.get(held) ?? position) >= position) continue;
      this.#rules.feed(held, input, { position, isAgain: true });
      await giveWay();
    }
    this.#rules.send();
  }

  /** @returns whether what goes through much may go on in this turn */
  #slice(): () => boolean {
    let began = this.#clock.monotonic();
    return () => {
      const now = this.#clock.monotonic();
      if (now - began <= sliceMicros) return true;
      began = now;
      return false;
    };
  }

  // ── what comes ──────────────────────────────────────────────────────────────────────────────────────────────────

  #start(input: NewInput): StartedInput | null {
    const from = input.t === "row" ? input.from : null;
    if (from !== null && !this.#isNew(from)) return null;
    const now = this.#moment();
    const made: RuleInput = input.t === "batch" ? { ...input, now } : { ...rowOf(input), now, at: input.at ?? now };
    return this.#kept(made, from);
  }

  #startTick(): StartedInput | null {
    const started = this.#kept({ t: "tick", now: this.#moment() }, null);
    // The next one is another input's to wait for, or a later moment's.
    if (started === null) this.#timer.arm(this.#rules.all());
    return started;
  }

  #kept(input: RuleInput, from: Origin | null): StartedInput | null {
    const readers = this.#rules.readersOf(input);
    if (readers.length === 0) return null;
    const position = this.#ledger.taken();
    const layout = input.t === "batch" ? input.batch.layout : null;
    this.#keeper.keep({ position, layout, encode: (number) => encodeInput(input, from, number) });
    return { input, position, readers };
  }

  #feed(held: Held, { input, position }: StartedInput): void {
    const { rule } = held;
    // Another has come in its place meanwhile, and took over what it had seen by then.
    if (this.#rules.get(rule.id) !== held) return;
    const hadStopped = rule.failure !== null;
    this.#rules.feed(held, input, { position, isAgain: false });
    // A replay, which nobody times, must not let it go further than it went.
    if (!hadStopped && rule.failure !== null) this.#note({ t: "stop", rule: rule.id });
  }

  #finished({ input, readers }: StartedInput): void {
    this.#rules.send();
    this.#checkpointer.changed();
    this.#timer.arm(input.t === "tick" ? this.#rules.all() : readers);
  }

  #isNew(from: Origin): boolean {
    const last = this.#origins.get(from.rule);
    const isNew =
      last === undefined || from.number > last.number || (from.number === last.number && from.row > last.row);
    if (isNew) this.#origins.set(from.rule, from);
    return isNew;
  }

  /** Never before one that an input had: a window that a tick has closed stays closed. */
  #moment(): Micros {
    this.#now = Math.max(this.#now, this.#clock.now()) as Micros;
    return this.#now;
  }

  #noteBegin({ rule }: Held, of: { readonly state: Uint8Array | null; readonly number: number }): void {
    rule.numberFrom(Math.max(of.number, this.#ended.get(rule.id) ?? 0));
    this.#ended.delete(rule.id);
    const outputs = this.#untaken(rule.id);
    this.#note({ t: "begin", rule: rule.id, key: rule.key, number: rule.number, state: of.state, outputs });
  }

  /** Outputs that nobody could compute again: the plan that gave them is gone. */
  #untaken(id: string): readonly GivenOutput[] {
    const outputs: GivenOutput[] = [];
    let left = untakenBytes;
    const all = this.#rules.untaken(id).toReversed();
    for (const output of all) {
      left -= encodeSavedWithin(left, savedOutput(output))?.length ?? left + 1;
      if (left < 0) break;
      outputs.push(output);
    }
    this.#metrics.unsure.add(all.length - outputs.length);
    return outputs.toReversed();
  }

  #note(record: RuleRecord): void {
    this.#keeper.keep({ position: this.#ledger.taken(), layout: null, encode: () => encodeRule(record) });
    this.#checkpointer.changed();
  }

  #remember(id: string, number: number): void {
    this.#ended.set(id, number);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > endedMost) this.#ended.delete(oldest!);
  }

  /** @returns null where it is larger than may be kept */
  #encoded(saved: Saved): Uint8Array | null {
    const bytes = encodeSavedWithin(limits.ruleStateBytes, saved);
    if (bytes === null) this.#metrics.tooLarge.add();
    return bytes;
  }

  /** Inputs wait until all rules have said what they remember; bytes are made of it while they go on. */
  async #save(then: () => void): Promise<Checkpoint> {
    const mayGoOn = this.#slice();
    const saved: (Omit<RuleCheckpoint, "saved"> & { readonly state: Saved })[] = [];
    let of: Pick<Checkpoint, "position" | "now" | "ended" | "origins"> | null = null;
    await this.#turns.between(async () => {
      then();
      const [ended, origins] = [[...this.#ended], [...this.#origins.values()]];
      of = { position: this.#ledger.head, now: this.#now, ended, origins };
      for (const { rule, isExact } of [...this.#rules.all()]) {
        const { id, key, number, failure } = rule;
        saved.push({ rule: id, key, number, state: rule.save(), isExact, isStopped: failure !== null });
        if (!mayGoOn()) await sleep(this.#clock, 0);
      }
    });
    const rules: RuleCheckpoint[] = [];
    for (const { state, ...rest } of saved) {
      rules.push({ ...rest, saved: this.#encoded(state) });
      if (!mayGoOn()) await sleep(this.#clock, 0);
    }
    return { ...of!, rules };
  }
}

function rowOf({ stream, content, meta }: Extract<NewInput, { t: "row" }>) {
  return { t: "row", stream, content, meta } as const;
}
