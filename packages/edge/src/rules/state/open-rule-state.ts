import { type DeviceUid, limits, type Micros } from "@penstock/model";
import { encodeSaved, type Saved } from "@penstock/rules";
import { type Clock, type Files, type Log, type Metrics, makeDurableFolder } from "@penstock/runtime";
import { type Checkpoint, type RuleCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { Checkpointer } from "./checkpointer.ts";
import { FedRules, type Held } from "./fed-rules.ts";
import { type FoundInputs, openInputJournal } from "./input-journal.ts";
import { brokenName, InputKeeper } from "./input-keeper.ts";
import { encodeInput, encodeRule, type InputRecord, type Origin, type RuleRecord } from "./input-record.ts";
import { type Deliver, Ledger } from "./ledger.ts";
import type { NewInput, RuleInput, RuleState, RuleStateStatus, StatefulRule } from "./rule-state.ts";
import { RuleTimer } from "./rule-timer.ts";
import { type StateMetrics, stateMetrics } from "./state-metrics.ts";
import { TakeUp } from "./take-up.ts";

export interface RuleStateOptions {
  readonly files: Files;
  /** the stage's own; made when missing */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /**
   * milliseconds between two checkpoints at least; default 10,000, never less than 1000. All states are written anew each
   * time: a longer pause spares the gateway's flash, and costs a longer replay and nothing else
   */
  readonly checkpointEveryMs?: number;
  /**
   * of inputs that no checkpoint has yet; default 64 MiB. Beyond, a checkpoint passes outputs that wait for their sinks; where
   * the disk refuses that too, the oldest inputs go
   */
  readonly journalBytes?: number;
  /** of one file of inputs; default 1 MiB */
  readonly rollBytes?: number;
}

const everyMsLeast = 1000;
/** Inputs that may wait for the disk; beyond, the bus keeps what comes, within its own bound. */
const unsyncedMost = 512;
/** Rules that have ended and whose numbers go on if they come back; beyond, the oldest are forgotten. */
const endedMost = 1000;

/** What was found of an earlier process. */
interface Found {
  readonly checkpoint: Checkpoint | null;
  readonly inputs: FoundInputs;
  /** false: inputs are missing that rules have seen */
  readonly isWhole: boolean;
}

/**
 * Opens what the gateway's rules remember.
 *
 * @throws Error of the system when the folder cannot be read or emptied
 */
export async function openRuleState(options: RuleStateOptions): Promise<RuleState> {
  const { files, folder, log, rollBytes = 1024 * 1024 } = options;
  await makeDurableFolder(files, folder);
  let isWhole = !(await files.exists(`${folder}/${brokenName}`));
  const checkpoint = await readCheckpoint({ files, folder }).catch((error: unknown) => {
    isWhole = false;
    log.error({ error }, "Cannot read the checkpoint of the rules: they go on from the inputs that are left");
    return null;
  });
  const open = () => openInputJournal({ files, folder, rollBytes });
  const inputs = await open().catch(async (error: unknown) => {
    isWhole = false;
    log.error({ error }, "Cannot read the inputs of the rules: they go on from their checkpoint");
    for (const name of await files.list(folder)) if (name.endsWith(".inputs")) await files.remove(`${folder}/${name}`);
    return open();
  });
  return new KeptRules(options, { checkpoint, inputs, isWhole });
}

class KeptRules implements RuleState {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #metrics: StateMetrics;
  readonly #found: Found;
  readonly #ledger: Ledger;
  readonly #rules: FedRules;
  readonly #keeper: InputKeeper;
  readonly #checkpointer: Checkpointer;
  readonly #timer: RuleTimer;
  readonly #ended: Map<string, number>;
  readonly #origins: Map<string, Origin>;
  #now: Micros;
  #replaying: Promise<void> | null = null;
  #isLive = false;
  #isClosed = false;
  /** rules that begin and end while others are brought to where they were */
  readonly #later: (() => void)[] = [];
  /** inputs that came of an input, or before the rules were there; each in its turn */
  readonly #next: NewInput[] = [];

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
      save: () => this.#save(),
    });
    this.#timer = new RuleTimer({ clock, run: () => this.#tick() });
    this.#now = checkpoint?.now ?? (0 as Micros);
    this.#ended = new Map(checkpoint?.ended);
    this.#origins = new Map(checkpoint?.origins.map((one) => [one.rule, one]));
  }

  begin(rule: StatefulRule): void {
    if (this.#waits(() => this.begin(rule))) return;
    const before = this.#rules.get(rule.id);
    const held: Held = { rule, isExact: before?.isExact ?? true, isSilent: !this.#isLive };
    this.#rules.set(held);
    if (!this.#isLive) return;
    const state = before?.rule.save() ?? null;
    if (state !== null) rule.restore(state);
    this.#noteBegin(held, { state: state === null ? null : this.#encoded(state), number: 0 });
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
    if (this.#rules.isFeeding || !this.#isLive) {
      this.#next.push(input);
      // What comes meanwhile waits at the bus, within its bound.
      return this.#replaying ?? undefined;
    }
    const from = input.t === "row" ? input.from : null;
    if (from !== null && !this.#isNew(from)) return;
    const now = this.#moment();
    const made: RuleInput = input.t === "batch" ? { ...input, now } : { ...rowOf(input), now, at: input.at ?? now };
    const readers = this.#rules.readersOf(made);
    if (readers.length === 0) return;
    this.#put(made, from, readers);
    this.#timer.arm(readers);
    this.#takeNext();
    if (this.#ledger.unsynced > unsyncedMost && this.#keeper.writing !== null) return this.#keeper.writing;
  }

  emit(deliver: Deliver): void {
    this.#rules.emit(deliver);
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
      await inputs.read(checkpoint?.position ?? 0, (position, record) => {
        if (record?.t === "input") this.#feedAgain(record, (held) => (begun.get(held) ?? position) < position);
      });
      for (const id of takeUp.ids()) if (this.#rules.get(id) === undefined) this.#remember(id, takeUp.unusedNumber(id));
      for (const held of this.#rules.all()) {
        if (!held.isSilent) continue;
        const number = takeUp.unusedNumber(held.rule.id);
        this.#noteBegin(held, { state: this.#encoded(held.rule.save()), number });
      }
    } catch (error) {
      log.error({ error }, "Cannot take up what rules had read: what they remember is not exact");
      for (const held of this.#rules.all()) held.isExact = false;
    }
    this.#isLive = true;
    for (const held of this.#rules.all()) held.isSilent = false;
    for (const change of this.#later.splice(0)) change();
    this.#timer.arm(this.#rules.all());
    if (this.#ledger.head > (checkpoint?.position ?? 0)) this.#checkpointer.changed();
    this.#takeNext();
  }

  #feedAgain({ input, from }: InputRecord & { readonly t: "input" }, takes: (held: Held) => boolean): void {
    if (from !== null) this.#origins.set(from.rule, from);
    this.#now = Math.max(this.#now, input.now) as Micros;
    for (const held of this.#rules.readersOf(input)) if (takes(held)) this.#rules.feed(held, input, { isAgain: true });
    this.#rules.send();
  }

  // ── what comes ──────────────────────────────────────────────────────────────────────────────────────────────────

  #takeNext(): void {
    for (let next = this.#next.shift(); next !== undefined; next = this.#next.shift()) void this.take(next);
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

  #put(input: RuleInput, from: Origin | null, readers: readonly Held[]): void {
    const position = this.#ledger.taken();
    const layout = input.t === "batch" ? input.batch.layout : null;
    this.#keeper.keep({ position, layout, encode: (number) => encodeInput(input, from, number) });
    for (const held of readers) this.#rules.feed(held, input);
    this.#rules.send();
    this.#checkpointer.changed();
  }

  #tick(): void {
    const input: RuleInput = { t: "tick", now: this.#moment() };
    const readers = this.#rules.readersOf(input);
    if (readers.length > 0) this.#put(input, null, readers);
    this.#timer.arm(this.#rules.all());
    this.#takeNext();
  }

  #noteBegin({ rule }: Held, of: { readonly state: Uint8Array | null; readonly number: number }): void {
    rule.numberFrom(Math.max(of.number, this.#ended.get(rule.id) ?? 0));
    this.#ended.delete(rule.id);
    this.#note({ t: "begin", rule: rule.id, key: rule.key, number: rule.number, state: of.state });
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
    const bytes = encodeSaved(saved);
    if (bytes.length <= limits.ruleStateBytes) return bytes;
    this.#metrics.tooLarge.add();
    return null;
  }

  #save(): Checkpoint {
    const rules = [...this.#rules.all()].map(({ rule, isExact }): RuleCheckpoint => {
      const { id, key, number } = rule;
      return { rule: id, key, number, saved: this.#encoded(rule.save()), isExact };
    });
    return {
      ...{ position: this.#ledger.head, now: this.#now, rules },
      ended: [...this.#ended],
      origins: [...this.#origins.values()],
    };
  }
}

function rowOf({ stream, content, meta }: Extract<NewInput, { t: "row" }>) {
  return { t: "row", stream, content, meta } as const;
}
