/** One figure beside its baseline, which was measured in the same run. docs: bench/README.md. */
export interface BenchRow {
  readonly bench: string;
  readonly metric: string;
  readonly value: number | null;
  readonly unit: string;
  readonly baseline: string;
  readonly baselineValue: number | null;
  /** value ÷ baselineValue */
  readonly ratio: number | null;
  readonly lowerIsBetter?: true;
  /** why value or baseline is null: what is missing, and how to get it */
  readonly skipped?: string;
}
export interface BenchOptions {
  /** a run of a second or less that proves that the bench works; its figures mean nothing */
  readonly smoke: boolean;
  /** empty and on a real disk, since most benches wait for fsync; removed afterwards */
  readonly folder: string;
  /** minutes that the line to the cloud is down, for catch-up */
  readonly outageMinutes: number;
  /** a line for whoever waits; never part of the result */
  say(text: string): void;
}
export interface Bench {
  readonly name: string;
  run(options: BenchOptions): AsyncGenerator<BenchRow>;
}

/** Rounds to four digits and adds the ratio, so that every bench states its figures alike. */
export function row(given: Omit<BenchRow, "ratio">): BenchRow {
  const { value, baselineValue } = given;
  const ratio = value === null || baselineValue === null || baselineValue === 0 ? null : value / baselineValue;
  return {
    ...given,
    value: rounded(value),
    baselineValue: rounded(baselineValue),
    ratio: rounded(ratio),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
