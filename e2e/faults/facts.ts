import type { OutcomeFact } from "./judge-outcomes.ts";

/** One reading as a witness or a store tells of it. Strings are shared between facts: a run has hundreds of thousands. */
export interface Fact {
  readonly epoch: string;
  readonly seq: number;
  /** device uid, "/" and property */
  readonly series: string;
  /** microseconds */
  readonly time: number;
  /** JSON of the value, a space, the quality */
  readonly value: string;
}
export interface Place {
  readonly time: number;
  readonly value: string;
}

/** What became of the last desired value of a property. Values are set in rising order, so version and value agree. */
export interface DesiredFact {
  readonly property: string;
  /** highest version that the API gave us, and its value */
  readonly version: number;
  readonly value: number;
  readonly state: { readonly version: number; readonly state: string };
  readonly atDevice: number;
}

export interface RunFacts {
  /** in the order of the witness */
  readonly accepted: readonly Fact[];
  /** in any order, straight from the store's files */
  readonly stored: readonly Fact[];
  /** each series as the API reads it back */
  readonly readBack: ReadonlyMap<string, readonly Place[]>;
  /** the last value of each series as the API tells it; null when it tells none */
  readonly last: ReadonlyMap<string, Place | null>;
  readonly desired: readonly DesiredFact[];
  readonly outcomes: readonly OutcomeFact[];
  /** by series of a `samples` property: answered reads that the plant counted; each carried its own number from 1 on */
  readonly answered: ReadonlyMap<string, number>;
  /** the agent's own counter of readings that the full policy or age removed */
  readonly dropped: number;
  /** answered reads that may be missing: one batch per mapper and kill, and what was refused while the disk was full */
  readonly unreadAllowed: number;
}

/** @returns the JSON text and the quality as one string, as facts carry it */
export function factValue(json: unknown, quality: string): string {
  return `${JSON.stringify(json)} ${quality}`;
}
