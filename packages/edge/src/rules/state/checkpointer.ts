import type { Cancel, Clock, Files, Log } from "@penstock/runtime";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import type { InputJournal } from "./input-journal.ts";
import type { InputKeeper } from "./input-keeper.ts";
import type { Ledger } from "./ledger.ts";
import type { StateMetrics } from "./state-metrics.ts";

/** How long the end waits for sinks; what they have not taken by then is given again at the next start. */
const closeWaitMs = 1000;

export interface CheckpointerOptions {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: StateMetrics;
  readonly journal: InputJournal;
  readonly keeper: InputKeeper;
  readonly ledger: Ledger;
  readonly everyMs: number;
  /** position of the checkpoint that is there; 0: none is */
  readonly reached: number;
  /** What rules remember at one moment, when they have had all inputs up to it. @param then  called at that moment */
  save(then: () => void): Promise<Checkpoint>;
}

/**
 * Puts what rules remember on the disk now and then, and lets their inputs up to there go. What it writes it has saved at
 * once, and written when sinks have taken every output up to then: acknowledge last.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #reached: number;
  #cancel: Cancel | null = null;
  #working: Promise<void> | null = null;
  #wake: () => void = () => {};
  /** sinks are not waited for any more */
  #isForced = false;
  /** nothing is written any more */
  #isAbandoned = false;
  #isClosed = false;
  #hasFailed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#reached = options.reached;
  }

  /** There is something to write, some time. */
  changed(): void {
    if (this.#isClosed || this.#cancel !== null || this.#working !== null) return;
    this.#cancel = this.#options.clock.after(this.#options.everyMs, () => {
      this.#cancel = null;
      this.#start();
    });
  }

  /** Inputs have come to the disk, or outputs to their sinks. */
  settled(): void {
    this.#wake();
  }

  /** Resolves when a checkpoint is there, or could not be; outputs that no sink has taken yet may be lost with the process. */
  async force(): Promise<void> {
    this.#isForced = true;
    this.#wake();
    this.#start();
    await this.#working;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(closeWaitMs, resolve);
      (this.#working ?? Promise.resolve())
        .then(() => this.#reach())
        .finally(() => {
          cancel();
          resolve();
        });
    });
    this.#isAbandoned = true;
    this.#wake();
  }

  #start(): void {
    if (this.#working !== null || this.#isClosed) return;
    const { ledger, keeper } = this.#options;
    this.#working = this.#reach().then(() => {
      this.#working = null;
      this.#isForced = false;
      if (ledger.head > this.#reached || !keeper.isDurable) this.changed();
    });
  }

  async #reach(): Promise<void> {
    const { files, folder, log, metrics, journal, keeper, ledger, save } = this.#options;
    const wasBroken = !keeper.isDurable;
    if (ledger.head === this.#reached && !wasBroken) return;
    const checkpoint = await save(() => {
      if (wasBroken) keeper.tryAgain();
    });
    try {
      if (!wasBroken) await this.#settledTo(checkpoint.position);
      if (this.#isAbandoned) return;
      metrics.checkpointBytes.set(await writeCheckpoint({ files, folder, checkpoint }));
      metrics.checkpoints.add();
      this.#reached = checkpoint.position;
      this.#hasFailed = false;
      if (wasBroken) await keeper.healed();
      // What cannot be removed now is removed after the next one.
      await journal.dropTo(checkpoint.position).catch(() => 0);
      metrics.journalBytes.set(journal.bytes);
    } catch (error) {
      metrics.failed.add();
      if (!this.#hasFailed) log.warn({ error }, "Cannot write the checkpoint of the rules");
      this.#hasFailed = true;
      if (wasBroken) await keeper.broke(error);
    }
  }

  async #settledTo(position: number): Promise<void> {
    const { ledger, metrics } = this.#options;
    while (ledger.settled < position && !this.#isForced && !this.#isAbandoned) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isForced) metrics.unsure.add(ledger.unresolved(position));
  }
}
