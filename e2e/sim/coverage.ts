import type { Struck } from "./faults.ts";

/** by step, by fault: how often */
export type StepCounts = Record<string, Record<string, number>>;

/** How often each fault struck just before each step. */
export class Coverage {
  readonly counts: StepCounts = {};

  add(struck: readonly Struck[]): void {
    for (const { kind, step } of struck) this.#count(step, kind, 1);
  }

  merge(counts: StepCounts): void {
    for (const [step, row] of Object.entries(counts)) {
      for (const [kind, times] of Object.entries(row)) this.#count(step, kind, times);
    }
  }

  #count(step: string, kind: string, times: number): void {
    this.counts[step] ??= {};
    const row = this.counts[step];
    row[kind] = (row[kind] ?? 0) + times;
  }

  /** lines of a table: a row for each step, a column for each fault */
  table(): string[] {
    const kinds = [...new Set(Object.values(this.counts).flatMap((row) => Object.keys(row)))].sort();
    const steps = Object.keys(this.counts).sort();
    const width = Math.max(4, ...steps.map((step) => step.length));
    const line = (name: string, cells: readonly string[]) =>
      `${name.padEnd(width)} ${cells.map((cell, at) => cell.padStart(kinds[at]!.length)).join(" ")}`;
    return [
      line("step", kinds),
      ...steps.map((step) =>
        line(
          step,
          kinds.map((kind) => String(this.counts[step]?.[kind] ?? ".")),
        ),
      ),
    ];
  }
}
