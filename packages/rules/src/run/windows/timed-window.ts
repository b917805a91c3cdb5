import type { Saved } from "../../value/saved.ts";
import type { Row } from "../frame.ts";
import { type RowOf, rowsOf, saveRows } from "../saved-rows.ts";
import type { Aligned } from "./alignment.ts";
import { Edges } from "./edges.ts";
import { type Closed, nothing, type Window } from "./window.ts";

/**
 * Tumbling and hopping windows: one of `length` ends at every multiple of the hop. From the left edge on, up to the right
 * edge, which is not in it. A window without rows closes without a word.
 */
export class TimedWindow implements Window {
  readonly #edges: Edges;
  /** from the oldest that a window to come may have; in the order of their times */
  #rows: Row[] = [];

  constructor(options: { readonly hop: Aligned; readonly length: number }) {
    this.#edges = new Edges(options);
  }

  push(row: Row): readonly Closed[] {
    const closed = this.tick(row.at);
    this.#edges.open(row.at);
    this.#rows.push(row);
    return closed;
  }

  tick(now: number): readonly Closed[] {
    const edges = this.#edges;
    if (edges.end === null || now < edges.end) return nothing;
    const closed: Closed[] = [];
    while (edges.end !== null && edges.end <= now) {
      const { span } = edges;
      const rows = this.#rows.slice(this.#countBefore(span.start), this.#countBefore(span.end));
      if (rows.length > 0) closed.push({ rows, span });
      this.#rows.splice(0, this.#countBefore(edges.nextStart));
      edges.advance({ isEmpty: this.#rows.length === 0 });
    }
    return closed;
  }

  #countBefore(moment: number): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle]!.at < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  due(): number | null {
    return this.#edges.end;
  }

  save(): Saved {
    return [saveRows(this.#rows), this.#edges.save()];
  }

  restore(saved: Saved, rowOf: RowOf): void {
    const [rows, edges] = saved as readonly [Saved, Saved];
    this.#rows = rowsOf(rows, rowOf);
    this.#edges.restore(edges);
  }
}
