import type { DeviceUid, Micros, ReadingBatch } from "@penstock/model";
import type { ObjectValue, Saved } from "@penstock/rules";

/**
 * What rules with state are fed with: a batch of a device, a row of another stream, or that time has passed. `now` is the
 * clock that the rules see, and belongs to the input: fed again, it gives the same windows and the same output numbers.
 */
export type RuleInput =
  | { readonly t: "batch"; readonly now: Micros; readonly batch: ReadingBatch }
  | {
      readonly t: "row";
      readonly now: Micros;
      readonly stream: string;
      readonly content: ObjectValue;
      readonly meta: ObjectValue;
      /** microseconds */
      readonly at: number;
    }
  | { readonly t: "tick"; readonly now: Micros };

/** What an input is called before it has a moment. */
export type NewInput =
  | { readonly t: "batch"; readonly batch: ReadingBatch }
  | {
      readonly t: "row";
      readonly stream: string;
      readonly content: ObjectValue;
      readonly meta: ObjectValue;
      /** null: the moment at which it is taken */
      readonly at: number | null;
      /** of a row that another rule gave: a repeat after a restart is not taken again */
      readonly from: { readonly rule: string; readonly number: number; readonly row: number } | null;
    };

/** What a rule gave, as data. */
export interface GivenOutput {
  readonly number: number;
  /** of the input that it came of */
  readonly time: Micros;
  readonly rows: readonly ObjectValue[];
}

/**
 * A rule whose state is kept. `take` is synchronous and deterministic: the same inputs after the same state give the same
 * outputs, each handed to `RuleState.emit` before `take` returns.
 *
 * The rule closes what is due before it takes an input: `while (due ≤ input.now) tick(due, due)`, so that it does not
 * matter when a timer fired.
 */
export interface StatefulRule {
  /** unique at the gateway and never used again: the rule's uid */
  readonly id: string;
  /** equal texts mean an equal plan: SQL, mode, devices that it reads */
  readonly key: string;
  readonly devices: readonly DeviceUid[];
  /** names of streams that are no devices */
  readonly streams: readonly string[];
  /** @param how.isAgain  it had the input before the restart */
  take(input: RuleInput, how?: { readonly isAgain: boolean }): void;
  /** Gives an output to its sinks that a version before it gave, and that no sink has taken. */
  giveAgain(output: GivenOutput): void;
  /** why it has stopped by itself, and takes nothing any more; null: it has not */
  readonly failure: object | null;
  /** of its last output; 0: none so far */
  readonly number: number;
  /** when `take` of a tick has something to do, microseconds; null: nothing by time alone */
  due(): number | null;
  save(): Saved;
  /** called at most once, before the first `take`; what does not fit the plan begins anew */
  restore(saved: Saved): void;
  /** the outputs that follow have greater numbers */
  numberFrom(number: number): void;
}

/** How the state of rules is kept. */
export interface RuleStateStatus {
  /** false: the disk refuses; rules go on, and what they remember is lost if the gateway stops now */
  readonly isDurable: boolean;
  readonly journalBytes: number;
  readonly checkpointBytes: number;
  /** ids of rules whose state does not come of every input, since some could not be kept or had to go */
  readonly inexact: readonly string[];
}

/**
 * What rules remember, kept over restarts: the inputs of rules with state are journaled in the order in which the rules take
 * them, and now and then a checkpoint of all states takes their place.
 *
 * Exactly once in state, at least once to sinks: an output goes to its sinks when the inputs that it came of are on disk, and
 * is given again, with the same number, when the gateway stopped before its sinks had taken it.
 */
export interface RuleState {
  /**
   * A rule begins, in the place of one with the same id if there is one, whose state it takes over as far as it fits. What
   * that one gave and no sink has taken is the new one's to give, should the gateway stop before. To be called before
   * `replay` for the rules that run when the gateway starts.
   */
  begin(rule: StatefulRule): void;
  /** It is gone, with its state; with `keepsNumber` a rule with its id goes on counting. */
  end(id: string, options: { readonly keepsNumber: boolean }): void;
  /**
   * After the first rules have begun: brings all of them to where they were. What is taken meanwhile, or before, waits.
   * Called again it changes nothing.
   */
  replay(): Promise<void>;
  /** whether any rule reads it; where none does, `take` costs nothing */
  reads(input: { readonly device: DeviceUid } | { readonly stream: string }): boolean;
  /**
   * Gives the input to every rule that reads it, and journals it. What takes longer than 10 ms goes on in turns of its own,
   * one input after the other. Never rejects. A promise where the caller had better wait: rules have something to do yet, or
   * much waits for the disk.
   */
  take(input: NewInput): void | Promise<void>;
  /**
   * To be called by a rule within its `take`: `deliver` is called when what the output came of is on disk, outputs in their
   * order, and resolves when its sinks have taken it or given it up. It must not reject. Called by a rule that is not fed
   * here, it delivers at once.
   *
   * @param output the same as data: left out, it is lost where the rule is changed and the gateway stops before it was taken
   */
  emit(deliver: () => Promise<void>, output?: GivenOutput): void;
  status(): RuleStateStatus;
  /** whether the state of a rule comes of every input; null where it has none here */
  isExact(id: string): boolean | null;
  /** resolves when a last checkpoint is on disk, or refused by it */
  close(): Promise<void>;
}
