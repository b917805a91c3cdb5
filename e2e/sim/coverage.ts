import type { Struck } from "./faults.ts";

/** How often each fault struck just before each step. */
export class Coverage {
  readonly #counts = new Map<string, Map<string, number>>();

  add(struck: readonly Struck[]): void {
    for (const { kind, step } of struck) {
      const row = this.#counts.get(step) ?? new Map<string, number>();
      row.set(kind, (row.get(kind) ?? 0) + 1);
      this.#counts.set(step, row);
    }
  }

  /** lines of a table: a row for each step, a column for each fault */
  table(): string[] {
    const kinds = [...new Set([...this.#counts.values()].flatMap((row) => [...row.keys()]))].sort();
    const steps = [...this.#counts.keys()].sort();
    const width = Math.max(4, ...steps.map((step) => step.length));
    const line = (name: string, cells: readonly string[]) =>
      `${name.padEnd(width)} ${cells.map((cell, at) => cell.padStart(kinds[at]!.length)).join(" ")}`;
    return [
      line("step", kinds),
      ...steps.map((step) =>
        line(
          step,
          kinds.map((kind) => String(this.#counts.get(step)?.get(kind) ?? ".")),
        ),
      ),
    ];
  }
}
