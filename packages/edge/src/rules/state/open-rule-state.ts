import { type DeviceUid, limits, type Micros } from "@penstock/model";
import { decodeSaved, encodeSaved } from "@penstock/rules";
import { type Cancel, type Clock, type Files, type Log, type Metrics, makeDurableFolder } from "@penstock/runtime";
import { type Checkpoint, type RuleCheckpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type FoundInputs, openInputJournal, type Placed } from "./input-journal.ts";
import { encodeInput, encodeRule, type InputRecord, type Origin, type RuleRecord } from "./input-record.ts";
import { type Deliver, Ledger } from "./ledger.ts";
import type { NewInput, RuleInput, RuleState, RuleStateStatus, StatefulRule } from "./rule-state.ts";
import { stateMetrics } from "./state-metrics.ts";

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
  /** of inputs that no checkpoint has yet; beyond, a checkpoint passes outputs that wait for their sinks, else the oldest go */
  readonly journalBytes?: number;
  /** of one file of inputs */
  readonly rollBytes?: number;
}

const everyMsLeast = 1000;
/** Inputs that may wait for the disk; beyond, the bus keeps what comes, within its own bound. */
const unsyncedMost = 512;
/** Beyond what a rule can have given since the last checkpoint: numbers are never used again for another output. */
const numberGap = 2 ** 32;
const endedMost = 1000;
/** How long the end waits for sinks; what they have not taken by then is given again at the next start. */
const closeWaitMs = 1000;
const brokenName = "broken";

interface Held {
  readonly rule: StatefulRule;
  isExact: boolean;
  /** its outputs went out before, or were another plan's */
  isSilent: boolean;
}

/**
 * Opens what the gateway's rules remember.
 *
 * @throws AppError data/… or the system's error when the folder cannot be read at all
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
  const found = await open().catch(async (error: unknown) => {
    isWhole = false;
    log.error({ error }, "Cannot read the inputs of the rules: they go on from their checkpoint");
    for (const name of await files.list(folder)) if (name.endsWith(".inputs")) await files.remove(`${folder}/${name}`);
    return open();
  });
  return new KeptRules(options, { checkpoint, found, isWhole });
}

class KeptRules implements RuleState {
  readonly #options: RuleStateOptions;
  readonly #everyMs: number;
  readonly #journalBytes: number;
  readonly #metrics: ReturnType<typeof stateMetrics>;
  readonly #found: FoundInputs;
  readonly #checkpoint: Checkpoint | null;
  /** false: inputs are missing that rules have seen */
  #isWhole: boolean;
  readonly #ledger: Ledger;
  #isReplayed = false;
  #replaying: Promise<void> | null = null;
  /** rules that begin and end while others are brought to where they were */
  readonly #later: (() => void)[] = [];
  #isClosed = false;
  readonly #rules = new Map<string, Held>();
  #byDevice: ReadonlyMap<DeviceUid, readonly Held[]> = new Map();
  #byStream: ReadonlyMap<string, readonly Held[]> = new Map();
  readonly #ended: Map<string, number>;
  readonly #origins: Map<string, Origin>;
  #now: Micros;
  #feeding: Held | null = null;
  /** outputs that may go, once the rules have had their input */
  #ready: { readonly position: number; readonly deliver: Deliver }[] = [];
  /** inputs that came of an input, each in its turn */
  readonly #next: NewInput[] = [];
  #isDurable = true;
  #pending: Placed[] = [];
  #writing: Promise<void> | null = null;
  #timer: { readonly due: number; readonly cancel: Cancel } | null = null;
  #cancelCheckpoint: Cancel | null = null;
  #checkpointing: Promise<void> | null = null;
  #wake: () => void = () => {};
  /** a checkpoint does not wait for sinks any more */
  #isForced = false;
  /** nothing is written any more */
  #isAbandoned = false;
  #reached: number;
  #hasFailed = false;
  #isTold = false;

  constructor(
    options: RuleStateOptions,
    from: { readonly checkpoint: Checkpoint | null; readonly found: FoundInputs; readonly isWhole: boolean },
  ) {
    const { checkpoint, found, isWhole } = from;
    this.#options = options;
    this.#everyMs = Math.max(everyMsLeast, options.checkpointEveryMs ?? 10_000);
    this.#journalBytes = options.journalBytes ?? 64 * 1024 * 1024;
    this.#metrics = stateMetrics(options.metrics);
    this.#checkpoint = checkpoint;
    this.#found = found;
    this.#isWhole = isWhole;
    this.#reached = checkpoint?.position ?? 0;
    this.#ledger = new Ledger(Math.max(found.last, this.#reached));
    this.#now = checkpoint?.now ?? (0 as Micros);
    this.#ended = new Map(checkpoint?.ended);
    this.#origins = new Map(checkpoint?.origins.map((one) => [one.rule, one]));
    this.#tellDurable();
  }

  begin(rule: StatefulRule): void {
    if (this.#replaying !== null && !this.#isReplayed) {
      this.#later.push(() => this.begin(rule));
      return;
    }
    const before = this.#rules.get(rule.id);
    const held: Held = { rule, isExact: before?.isExact ?? true, isSilent: !this.#isReplayed };
    this.#rules.set(rule.id, held);
    this.#index();
    if (!this.#isReplayed) return;
    if (before !== undefined) rule.restore(before.rule.save());
    rule.numberFrom(this.#ended.get(rule.id) ?? 0);
    this.#ended.delete(rule.id);
    this.#note({ t: "begin", rule: rule.id, key: rule.key, number: rule.number, keeps: before !== undefined });
    this.#arm([held]);
  }

  end(id: string, options: { readonly keepsNumber: boolean }): void {
    if (this.#replaying !== null && !this.#isReplayed) {
      this.#later.push(() => this.end(id, options));
      return;
    }
    const { keepsNumber } = options;
    const held = this.#rules.get(id);
    if (keepsNumber && held !== undefined) this.#remember(id, held.rule.number);
    if (!keepsNumber) this.#ended.delete(id);
    if (!this.#rules.delete(id)) return;
    this.#index();
    if (this.#isReplayed) this.#note({ t: "end", rule: id });
  }

  replay(): Promise<void> {
    this.#replaying ??= this.#replay();
    return this.#replaying;
  }

  async #replay(): Promise<void> {
    const turns = await this.#lastTurns();
    const kept = new Map(this.#checkpoint?.rules.map((one) => [one.rule, one]));
    const begun = new Map([...this.#rules.values()].map((held) => [held, this.#takeUp(held, kept, turns)]));
    let count = 0;
    await this.#found.read(this.#reached, (position, record) => {
      if (record?.t === "input") {
        count++;
        if (record.from !== null) this.#origins.set(record.from.rule, record.from);
        this.#now = Math.max(this.#now, record.input.now) as Micros;
        for (const held of this.#readersOf(record.input)) {
          if ((begun.get(held) ?? Number.POSITIVE_INFINITY) < position) this.#feed(held, record.input);
        }
        this.#send();
      }
      if (record?.t !== "begin" || turns.get(record.rule)?.at !== position) return;
      const held = this.#rules.get(record.rule);
      if (held === undefined || held.rule.key !== record.key) return;
      held.rule.numberFrom(record.number);
      held.isSilent = false;
    });
    this.#isReplayed = true;
    for (const [id, { number }] of kept) if (!this.#rules.has(id)) this.#remember(id, number + numberGap);
    for (const held of this.#rules.values()) {
      if (!held.isSilent) continue;
      // Its outputs since the checkpoint were another plan's, with numbers that nobody knows any more.
      const { rule } = held;
      const before = kept.get(rule.id)?.number ?? turns.get(rule.id)?.number;
      rule.numberFrom(Math.max(before === undefined ? 0 : before + numberGap, this.#ended.get(rule.id) ?? 0));
      this.#ended.delete(rule.id);
      held.isSilent = false;
      this.#note({ t: "begin", rule: rule.id, key: rule.key, number: rule.number, keeps: before !== undefined });
    }
    if (count > 0) this.#options.log.info({ inputs: count }, "Rules have taken up what they had read before");
    for (const change of this.#later.splice(0)) change();
    this.#arm(this.#rules.values());
    this.#due();
    this.#takeNext();
  }

  /** The last that became of each rule after the checkpoint; whether inputs are missing. */
  async #lastTurns(): Promise<Map<string, { at: number; record: RuleRecord; number: number }>> {
    const turns = new Map<string, { at: number; record: RuleRecord; number: number }>();
    await this.#found.read(this.#reached, (at, record: InputRecord | null) => {
      if (record === null) this.#isWhole = false;
      else if (record.t === "begin" || record.t === "end") {
        const number = record.t === "begin" ? record.number : (turns.get(record.rule)?.number ?? 0);
        turns.set(record.rule, { at, record, number });
      }
    });
    return turns;
  }

  /** @returns the position after which it takes inputs */
  #takeUp(
    held: Held,
    kept: ReadonlyMap<string, RuleCheckpoint>,
    turns: ReadonlyMap<string, { readonly at: number; readonly record: RuleRecord }>,
  ): number {
    const { rule } = held;
    const saved = kept.get(rule.id);
    const turn = turns.get(rule.id);
    if (turn?.record.t === "end") return Number.POSITIVE_INFINITY;
    const isKept = saved !== undefined && (turn === undefined || turn.record.keeps);
    if (isKept) {
      held.isExact = saved.isExact && saved.saved !== null;
      if (saved.saved !== null) this.#restore(rule, saved.saved);
      rule.numberFrom(saved.number);
      held.isSilent = turn !== undefined || saved.key !== rule.key;
    }
    if (!this.#isWhole && (isKept || turn !== undefined)) {
      held.isExact = false;
      rule.numberFrom((saved?.number ?? 0) + numberGap);
    }
    if (isKept) return this.#reached;
    return turn?.record.t === "begin" ? turn.at : Number.POSITIVE_INFINITY;
  }

  #restore(rule: StatefulRule, saved: Uint8Array): void {
    try {
      rule.restore(decodeSaved(saved));
    } catch (error) {
      this.#options.log.error({ error, rule: rule.id }, "Cannot restore what a rule remembered: it begins anew");
    }
  }

  reads(input: { readonly device: DeviceUid } | { readonly stream: string }): boolean {
    return "device" in input ? this.#byDevice.has(input.device) : this.#byStream.has(input.stream);
  }

  take(input: NewInput): void | Promise<void> {
    if (this.#isClosed) return;
    if (this.#feeding !== null || !this.#isReplayed) {
      this.#next.push(input);
      // What comes meanwhile waits at the bus, within its bound.
      return this.#replaying ?? undefined;
    }
    const from = input.t === "row" ? input.from : null;
    if (from !== null && !this.#isNew(from)) return;
    const now = this.#moment();
    const made: RuleInput = input.t === "batch" ? { ...input, now } : { ...rowOf(input), now, at: input.at ?? now };
    const readers = this.#readersOf(made);
    if (readers.length === 0) return;
    this.#put(made, from, readers);
    this.#arm(readers);
    this.#takeNext();
    if (this.#ledger.unsynced > unsyncedMost && this.#writing !== null) return this.#writing;
  }

  emit(deliver: Deliver): void {
    if (this.#feeding === null) void deliver();
    else if (!this.#feeding.isSilent && this.#ledger.given(deliver))
      this.#ready.push({ position: this.#ledger.head, deliver });
  }

  status(): RuleStateStatus {
    return {
      isDurable: this.#isDurable,
      journalBytes: this.#found.journal.bytes,
      checkpointBytes: this.#metrics.checkpointBytes.value,
      inexact: [...this.#rules.values()].flatMap(({ rule, isExact }) => (isExact ? [] : [rule.id])),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#cancelCheckpoint?.();
    while (this.#writing !== null) await this.#writing;
    const { clock } = this.#options;
    const ended = new Promise<void>((resolve) => {
      clock.after(closeWaitMs, resolve);
      this.#checkpointing = (this.#checkpointing ?? Promise.resolve()).then(() => this.#reach());
      this.#checkpointing.then(resolve, resolve);
    });
    await ended;
    this.#isAbandoned = true;
    this.#wake();
    await this.#found.journal.close();
  }

  // ── inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────

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
    this.#now = Math.max(this.#now, this.#options.clock.now()) as Micros;
    return this.#now;
  }

  #put(input: RuleInput, from: Origin | null, readers: readonly Held[]): void {
    const position = this.#ledger.taken();
    const layout = input.t === "batch" ? input.batch.layout : null;
    this.#journal({ position, layout, encode: (number) => encodeInput(input, from, number) });
    for (const held of readers) this.#feed(held, input);
    this.#send();
    this.#due();
  }

  #feed(held: Held, input: RuleInput): void {
    this.#feeding = held;
    try {
      held.rule.take(input);
    } catch (error) {
      this.#options.log.error({ error, rule: held.rule.id }, "A rule broke at an input");
    }
    this.#feeding = null;
  }

  #readersOf(input: RuleInput): readonly Held[] {
    switch (input.t) {
      case "batch":
        return this.#byDevice.get(input.batch.layout.device) ?? [];
      case "row":
        return this.#byStream.get(input.stream) ?? [];
      case "tick":
        return [...this.#rules.values()].filter(({ rule }) => isDue(rule, input.now));
    }
  }

  #send(): void {
    const ready = this.#ready;
    if (ready.length === 0) return;
    this.#ready = [];
    for (const { position, deliver } of ready) {
      void deliver().then(() => {
        this.#ledger.resolved(position);
        this.#wake();
      });
    }
  }

  #index(): void {
    this.#byDevice = groupedBy(this.#rules.values(), ({ rule }) => rule.devices);
    this.#byStream = groupedBy(this.#rules.values(), ({ rule }) => rule.streams);
  }

  #remember(id: string, number: number): void {
    this.#ended.set(id, number);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > endedMost) this.#ended.delete(oldest!);
  }

  #note(record: RuleRecord): void {
    const position = this.#ledger.taken();
    this.#journal({ position, layout: null, encode: () => encodeRule(record) });
    this.#due();
  }

  // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Windows close when their time has come, though nothing comes. One timer, for the first of them. */
  #arm(rules: Iterable<Held>): void {
    let first = this.#timer?.due ?? Number.POSITIVE_INFINITY;
    for (const { rule } of rules) first = Math.min(first, rule.due() ?? Number.POSITIVE_INFINITY);
    if (this.#isClosed || !this.#isReplayed || first === (this.#timer?.due ?? Number.POSITIVE_INFINITY)) return;
    this.#timer?.cancel();
    const { clock } = this.#options;
    const delayMs = Math.max(1, Math.ceil((first - clock.now()) / 1000));
    this.#timer = { due: first, cancel: clock.after(delayMs, () => this.#tick()) };
  }

  #tick(): void {
    this.#timer = null;
    const now = this.#moment();
    const input: RuleInput = { t: "tick", now };
    const readers = this.#readersOf(input);
    if (readers.length > 0) this.#put(input, null, readers);
    this.#arm(this.#rules.values());
  }

  // ── disk ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #journal(one: Placed): void {
    if (!this.#isDurable) {
      this.#metrics.unkept.add();
      this.#synced(one.position);
      return;
    }
    this.#metrics.kept.add();
    this.#pending.push(one);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    // Inputs of one turn share a sync.
    await Promise.resolve();
    const { journal } = this.#found;
    while (this.#pending.length > 0 && this.#isDurable) {
      const group = this.#pending;
      this.#pending = [];
      try {
        // The first failure may be of the file: another is begun.
        await journal.write(group).catch(() => journal.write(group));
        this.#synced(group.at(-1)!.position);
      } catch (error) {
        this.#metrics.unkept.add(group.length);
        await this.#broke(error);
      }
      this.#metrics.journalBytes.set(journal.bytes);
      if (journal.bytes > this.#journalBytes) await this.#relieve();
    }
    this.#writing = null;
  }

  #synced(position: number): void {
    this.#ready.push(...this.#ledger.synced(position));
    // Outputs of an input go when all rules have had it.
    if (this.#feeding === null) this.#send();
    this.#wake();
  }

  /** The disk refuses: rules go on, and nothing waits for it, until a checkpoint is on it again. */
  async #broke(error: unknown): Promise<void> {
    const { files, folder, log } = this.#options;
    const message = "Cannot keep what rules read: what they remember is lost if the gateway stops";
    if (!this.#isTold) log.error({ error }, message);
    this.#isTold = true;
    this.#isDurable = false;
    this.#tellDurable();
    this.#metrics.unkept.add(this.#pending.length);
    this.#pending = [];
    this.#synced(this.#ledger.head);
    try {
      // An empty file, so that the next start knows that inputs are missing: a full disk has room for a name.
      await (await files.openAppend(`${folder}/${brokenName}`)).close();
      await files.syncFolder(folder);
    } catch (cause) {
      log.debug({ error: cause }, "Cannot note that rule inputs are missing");
    }
    this.#due();
  }

  #tellDurable(): void {
    this.#metrics.isDurable.set(this.#isDurable ? 1 : 0);
  }

  /** More inputs than there is room for: a checkpoint makes it, without waiting for sinks; else the oldest go. */
  async #relieve(): Promise<void> {
    const { journal } = this.#found;
    this.#isForced = true;
    this.#wake();
    this.#startCheckpoint();
    await this.#checkpointing;
    while (journal.bytes > this.#journalBytes) {
      const gone = await journal.dropOldest().catch(() => 0);
      if (gone === 0) return;
      this.#metrics.dropped.add(gone);
      this.#options.log.warn(
        { inputs: gone },
        "Rule inputs had to go: what rules remember will not be exact after a restart",
      );
    }
  }

  // ── checkpoint ──────────────────────────────────────────────────────────────────────────────────────────────────

  #due(): void {
    if (this.#isClosed || !this.#isReplayed || this.#cancelCheckpoint !== null || this.#checkpointing !== null) return;
    this.#cancelCheckpoint = this.#options.clock.after(this.#everyMs, () => {
      this.#cancelCheckpoint = null;
      this.#startCheckpoint();
    });
  }

  #startCheckpoint(): void {
    if (this.#checkpointing !== null || this.#isClosed) return;
    this.#checkpointing = this.#reach().then(() => {
      this.#checkpointing = null;
      if (this.#ledger.head > this.#reached || !this.#isDurable) this.#due();
    });
  }

  /** Saves all that rules remember now, and when every output up to now has been taken, puts it on the disk. */
  async #reach(): Promise<void> {
    const { files, folder, log } = this.#options;
    const { journal } = this.#found;
    if (!this.#isReplayed || (this.#ledger.head === this.#reached && this.#isDurable)) return;
    const checkpoint = this.#save();
    const { position } = checkpoint;
    const wasBroken = !this.#isDurable;
    // From the saved moment on inputs are kept again; if the disk refuses this too, they are not.
    this.#isDurable = true;
    try {
      if (!wasBroken) await this.#settled(position);
      if (this.#isAbandoned) return;
      const bytes = await writeCheckpoint({ files, folder, checkpoint });
      this.#metrics.checkpointBytes.set(bytes);
      this.#metrics.checkpoints.add();
      this.#reached = position;
      this.#hasFailed = false;
      this.#isTold = false;
      if (wasBroken) await files.remove(`${folder}/${brokenName}`).catch(() => {});
      await journal.dropTo(position).catch(() => 0);
      this.#metrics.journalBytes.set(journal.bytes);
    } catch (error) {
      this.#metrics.failed.add();
      if (!this.#hasFailed) log.warn({ error }, "Cannot write the checkpoint of the rules");
      this.#hasFailed = true;
      if (wasBroken) await this.#broke(error);
    }
    this.#isForced = false;
    this.#tellDurable();
  }

  /** Resolves when the disk has the inputs up to there and sinks their outputs, or when it is not waited for any more. */
  async #settled(position: number): Promise<void> {
    while (this.#ledger.settled < position && !this.#isForced && !this.#isAbandoned) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isForced) this.#metrics.unsure.add(this.#ledger.unresolved(position));
  }

  #save(): Checkpoint {
    const rules = [...this.#rules.values()].map((held): RuleCheckpoint => {
      const { id, key, number } = held.rule;
      const saved = encodeSaved(held.rule.save());
      const isKept = saved.length <= limits.ruleStateBytes;
      if (!isKept) this.#metrics.tooLarge.add();
      return { rule: id, key, number, saved: isKept ? saved : null, isExact: held.isExact };
    });
    return {
      ...{ position: this.#ledger.head, now: this.#now, rules },
      ended: [...this.#ended],
      origins: [...this.#origins.values()],
    };
  }
}

function isDue(rule: StatefulRule, now: Micros): boolean {
  const due = rule.due();
  return due !== null && due <= now;
}

function rowOf({ stream, content, meta }: Extract<NewInput, { t: "row" }>) {
  return { t: "row", stream, content, meta } as const;
}

function groupedBy<Key>(rules: Iterable<Held>, keysOf: (held: Held) => readonly Key[]): ReadonlyMap<Key, Held[]> {
  const groups = new Map<Key, Held[]>();
  for (const held of rules) {
    for (const key of new Set(keysOf(held))) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [held]);
      else group.push(held);
    }
  }
  return groups;
}
