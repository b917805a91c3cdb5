import { type AlarmActOutcome, type AlarmTransition, limits } from "@penstock/model";
import { type Clock, type Journal, type Log, type Metrics, sleep } from "@penstock/runtime";
import type { AlarmEntry, AlarmRecord, AlarmsOnDisk } from "./alarm-journal.ts";

const diskRetryMs = 1000;

/** Writes what alarms did, in order; one write at a time, and what comes meanwhile goes together into the next. */
export class AlarmWriter {
  readonly #parts: {
    readonly journal: Journal<AlarmsOnDisk, AlarmEntry>;
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
  };
  #records = new Map<string, AlarmRecord | null>();
  /** at most `alarmTransitionsPerNode`; drop oldest: what the disk will not take cannot wait without end */
  #transitions: AlarmTransition[] = [];
  #outcomes = new Map<string, AlarmActOutcome>();
  #next: number;
  #writing: Promise<void> | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();

  constructor(parts: {
    readonly journal: Journal<AlarmsOnDisk, AlarmEntry>;
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
  }) {
    this.#parts = parts;
    this.#next = parts.journal.state.last + 1;
  }

  get onDisk(): AlarmsOnDisk {
    return this.#parts.journal.state;
  }

  /** number of the next transition */
  get next(): number {
    return this.#next;
  }

  tell(transition: AlarmTransition): void {
    this.#next = transition.number + 1;
    this.#transitions.push(transition);
    if (this.#transitions.length > limits.alarmTransitionsPerNode) {
      this.#transitions.shift();
      this.#dropped(1);
    }
  }

  note(id: string, record: AlarmRecord | null): void {
    this.#records.set(id, record);
  }

  answer(outcome: AlarmActOutcome): void {
    this.#outcomes.set(outcome.id, outcome);
  }

  outcomeOf(id: string): AlarmActOutcome | null {
    return this.#outcomes.get(id) ?? this.onDisk.outcomes.get(id) ?? null;
  }

  /** called after transitions have become durable */
  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** resolves when all that was told, noted and answered is on disk, or the gateway stops; never rejects */
  written(): Promise<void> {
    if (this.#writing === null && this.#isClean()) return Promise.resolve();
    this.#writing ??= this.#write();
    return this.#writing;
  }

  #isClean(): boolean {
    return this.#records.size + this.#transitions.length + this.#outcomes.size === 0;
  }

  async taken(epoch: string, numbers: readonly number[]): Promise<void> {
    if (epoch === this.onDisk.epoch && numbers.length > 0) await this.#parts.journal.append({ taken: numbers });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.written();
    await this.#parts.journal.close();
  }

  async #write(): Promise<void> {
    const { journal, clock, log } = this.#parts;
    while (!this.#isClean()) {
      const [records, transitions, outcomes] = [this.#records, this.#transitions, this.#outcomes];
      const surplus = journal.state.transitions.length + transitions.length - limits.alarmTransitionsPerNode;
      this.#records = new Map();
      this.#transitions = [];
      this.#outcomes = new Map();
      try {
        await journal.append({ records: [...records], transitions, outcomes: [...outcomes.values()] });
        if (surplus > 0) this.#dropped(surplus);
        if (transitions.length > 0) for (const listener of this.#listeners) listener();
      } catch (error) {
        log.warn({ stage: "rules", error }, "Alarms cannot be written; tried again");
        this.#records = new Map([...records, ...this.#records]);
        this.#transitions = [...transitions, ...this.#transitions];
        this.#outcomes = new Map([...outcomes, ...this.#outcomes]);
        if (this.#closing.signal.aborted) break;
        await sleep(clock, diskRetryMs, this.#closing.signal).catch(() => undefined);
      }
    }
    this.#writing = null;
  }

  #dropped(count: number): void {
    const { metrics } = this.#parts;
    metrics
      .counter("penstock_rules_alarm_transitions_dropped_total", "What happened to alarms and the cloud was never told")
      .add(count);
  }
}
