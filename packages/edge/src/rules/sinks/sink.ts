import type { Micros } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";

/** One result of a rule: what a row, or a window that closed, gave. */
export interface RuleOutput {
  /** name of the rule */
  readonly rule: string;
  /** counts from 1 over the rule's life; the same result has the same number again after a restart, so repeats can be told */
  readonly number: number;
  /** when it was computed */
  readonly time: Micros;
  /** never empty */
  readonly rows: readonly ObjectValue[];
}

/**
 * Where the results of one action of one rule go. Called in the order of the results, without waiting for the one before.
 *
 * `take` resolves when the result is delivered, or on disk, or given up and counted: only then does the gateway forget the
 * readings that it came of. It never rejects, and never holds more than its bound: what is beyond is dropped, the oldest
 * first, and counted.
 */
export interface Sink {
  take(output: RuleOutput): Promise<void>;
  /** resolves when nothing is in flight; what could not be delivered stays on disk where the action has a cache */
  close(): Promise<void>;
}
