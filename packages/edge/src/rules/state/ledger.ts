import type { GivenOutput } from "./rule-state.ts";

export type Deliver = () => Promise<void>;

/** An output and the input that it came of. */
export interface Waiting {
  readonly position: number;
  readonly rule: string;
  readonly deliver: Deliver;
  /** null: it is not kept as data */
  readonly output: GivenOutput | null;
}

/**
 * What of the rules' inputs is on disk, and what of their outputs has been taken: the two that decide when an output may
 * go to its sinks, and how far a checkpoint may reach. No I/O: it says what to do, and is told what became of it.
 *
 * Positions count inputs from 1 on, in the order in which the rules took them.
 */
export class Ledger {
  /** of the last input; 0: none */
  #head: number;
  #durable: number;
  /** outputs of inputs that are not on disk yet, in order */
  readonly #waiting: Waiting[] = [];
  /** outputs on their way to sinks, by position, in order */
  readonly #underway = new Map<number, number>();

  constructor(head: number) {
    this.#head = head;
    this.#durable = head;
  }

  get head(): number {
    return this.#head;
  }

  /** inputs that the disk does not have yet */
  get unsynced(): number {
    return this.#head - this.#durable;
  }

  /** @returns its position */
  taken(): number {
    this.#head++;
    return this.#head;
  }

  /** An output of the input that rules have last had. @returns whether it may go at once */
  given(one: Waiting): boolean {
    const { position } = one;
    this.#underway.set(position, (this.#underway.get(position) ?? 0) + 1);
    if (position <= this.#durable) return true;
    this.#waiting.push(one);
    return false;
  }

  /** All inputs up to there are on disk, or the disk will never have them. @returns outputs that may go now */
  synced(position: number): readonly Waiting[] {
    this.#durable = Math.max(this.#durable, Math.min(position, this.#head));
    const count = this.#waiting.findIndex((one) => one.position > this.#durable);
    return this.#waiting.splice(0, count < 0 ? this.#waiting.length : count);
  }

  /** An output of the input there has been taken by its sinks, or given up. */
  resolved(position: number): void {
    const left = (this.#underway.get(position) ?? 0) - 1;
    if (left > 0) this.#underway.set(position, left);
    else this.#underway.delete(position);
  }

  /** Every output of the inputs up to there has been taken, and they are on disk: a checkpoint may reach so far. */
  get settled(): number {
    const [oldest] = this.#underway.keys();
    return Math.min(this.#durable, oldest === undefined ? this.#head : oldest - 1);
  }

  /** outputs up to there that no sink has taken yet */
  unresolved(position: number): number {
    let count = 0;
    for (const [at, outputs] of this.#underway) if (at <= position) count += outputs;
    return count;
  }
}
