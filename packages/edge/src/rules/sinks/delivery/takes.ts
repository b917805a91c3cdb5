/** Which results are not settled: each of their rows is delivered, on disk, given up or dropped, by whatever way it went. */
export class Takes {
  readonly #open = new Map<number, { left: number; readonly done: () => void }>();
  #next = 1;

  begin(rows: number, done: () => void): number {
    const take = this.#next++;
    this.#open.set(take, { left: rows, done });
    return take;
  }

  /** Rows that came from the disk are of no take any more. */
  settle(rows: readonly { readonly take?: number }[]): void {
    for (const { take } of rows) {
      const open = take === undefined ? undefined : this.#open.get(take);
      if (open === undefined || --open.left > 0) continue;
      this.#open.delete(take!);
      open.done();
    }
  }
}
