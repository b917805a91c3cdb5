import type { Saved } from "../../value/saved.ts";
import { effort } from "../effort.ts";
import type { Row } from "../frame.ts";
import { KeptRows, type RowBounds, rowBounds } from "../kept-rows.ts";
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
  readonly #rows: KeptRows;

  constructor(options: { readonly hop: Aligned; readonly length: number; readonly bounds?: RowBounds }) {
    this.#edges = new Edges(options);
    this.#rows = new KeptRows(options.bounds ?? rowBounds);
  }

  get dropped(): number {
    return this.#rows.dropped;
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
      effort.step();
      const { span } = edges;
      const rows = this.#rows.slice(this.#rows.countBefore(span.start), this.#rows.countBefore(span.end));
      effort.parts(rows.length >> 2);
      if (rows.length > 0) closed.push({ rows, span });
      this.#rows.forget(this.#rows.countBefore(edges.nextStart));
      edges.advance({ isEmpty: this.#rows.length === 0 });
    }
    return closed;
  }

  due(): number | null {
    return this.#edges.end;
  }

  save(): Saved {
    return [saveRows(this.#rows.slice()), this.#edges.save()];
  }

  restore(saved: Saved, rowOf: RowOf): void {
    const [rows, edges] = saved as readonly [Saved, Saved];
    for (const row of rowsOf(rows, rowOf)) this.#rows.push(row);
    this.#edges.restore(edges);
  }
}
