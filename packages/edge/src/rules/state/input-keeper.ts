import type { Files, Log } from "@penstock/runtime";
import type { InputJournal, Placed } from "./input-journal.ts";
import type { StateMetrics } from "./state-metrics.ts";

export const brokenName = "broken";

export interface InputKeeperOptions {
  readonly journal: InputJournal;
  readonly files: Files;
  readonly folder: string;
  readonly log: Log;
  readonly metrics: StateMetrics;
  /** of inputs that no checkpoint has */
  readonly bytesMost: number;
  /** all inputs up to there are on disk, or never will be */
  onSynced(position: number): void;
  /** resolves when a checkpoint has made room, or could not */
  makeRoom(): Promise<void>;
}

/**
 * Puts inputs on the disk, those of one turn with one sync. Where the disk refuses them nothing waits for it any more, until a
 * checkpoint is on it again.
 */
export class InputKeeper {
  readonly #options: InputKeeperOptions;
  #isDurable = true;
  #pending: Placed[] = [];
  #writing: Promise<void> | null = null;
  /** the log tells a run of refusals once */
  #isTold = false;

  constructor(options: InputKeeperOptions) {
    this.#options = options;
    options.metrics.isDurable.set(1);
  }

  get isDurable(): boolean {
    return this.#isDurable;
  }

  /** of what is being written; null: nothing is */
  get writing(): Promise<void> | null {
    return this.#writing;
  }

  keep(one: Placed): void {
    const { metrics, onSynced } = this.#options;
    if (!this.#isDurable) {
      metrics.unkept.add();
      onSynced(one.position);
      return;
    }
    metrics.kept.add();
    this.#pending.push(one);
    this.#writing ??= this.#write();
  }

  /** From now on inputs are kept again: a checkpoint of this moment is on its way. */
  tryAgain(): void {
    this.#isDurable = true;
  }

  /** The checkpoint is on the disk. */
  async healed(): Promise<void> {
    const { files, folder, metrics } = this.#options;
    this.#isTold = false;
    metrics.isDurable.set(1);
    await files.remove(`${folder}/${brokenName}`).catch(() => {});
  }

  /** The disk refuses: rules go on, and nothing waits for it. */
  async broke(error: unknown): Promise<void> {
    const { files, folder, log, metrics, onSynced } = this.#options;
    const message = "Cannot keep what rules read: what they remember is lost if the gateway stops";
    if (!this.#isTold) log.error({ error }, message);
    this.#isTold = true;
    this.#isDurable = false;
    metrics.isDurable.set(0);
    metrics.unkept.add(this.#pending.length);
    this.#pending = [];
    onSynced(Number.POSITIVE_INFINITY);
    try {
      // An empty file, so that the next start knows that inputs are missing: a full disk has room for a name.
      await (await files.openAppend(`${folder}/${brokenName}`)).close();
      await files.syncFolder(folder);
    } catch (cause) {
      log.debug({ error: cause }, "Cannot note that rule inputs are missing");
    }
  }

  async #write(): Promise<void> {
    const { journal, metrics, bytesMost, onSynced } = this.#options;
    // Inputs of one turn share a sync.
    await Promise.resolve();
    while (this.#pending.length > 0 && this.#isDurable) {
      const group = this.#pending;
      this.#pending = [];
      try {
        // The first failure may be of the file: another is begun.
        await journal.write(group).catch(() => journal.write(group));
        onSynced(group.at(-1)!.position);
      } catch (error) {
        metrics.unkept.add(group.length);
        await this.broke(error);
      }
      metrics.journalBytes.set(journal.bytes);
      if (journal.bytes > bytesMost) await this.#relieve();
    }
    this.#writing = null;
  }

  /** More than there is room for, and a checkpoint has not made any: the oldest go. */
  async #relieve(): Promise<void> {
    const { journal, metrics, log, bytesMost, makeRoom } = this.#options;
    await makeRoom();
    while (journal.bytes > bytesMost) {
      const gone = await journal.dropOldest().catch(() => 0);
      if (gone === 0) return;
      metrics.dropped.add(gone);
      log.warn({ inputs: gone }, "Rule inputs had to go: what rules remember will not be exact after a restart");
    }
  }
}
