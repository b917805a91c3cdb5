import type { Saved } from "../../value/saved.ts";
import type { Row, WindowSpan } from "../frame.ts";
import { type Grouping, Groups } from "../groups.ts";
import { type RowBounds, rowBounds } from "../kept-rows.ts";
import type { RowOf } from "../saved-rows.ts";
import type { Aligned } from "./alignment.ts";
import { Edges } from "./edges.ts";

/** A tumbling window of groups: rows are added up as they come, and none is kept but the first of each group. */
export class TumblingGroups {
  readonly #edges: Edges;
  readonly #grouping: Grouping;
  readonly #bounds: RowBounds;
  #groups: Groups;
  /** of windows that have closed */
  #dropped = 0;

  constructor({
    hop,
    grouping,
    bounds = rowBounds,
  }: {
    readonly hop: Aligned;
    readonly grouping: Grouping;
    readonly bounds?: RowBounds;
  }) {
    this.#bounds = bounds;
    this.#edges = new Edges({ hop, length: hop.count });
    this.#grouping = grouping;
    this.#groups = new Groups(grouping, bounds);
  }

  /** groups that went since there were too many */
  get dropped(): number {
    return this.#dropped + this.#groups.dropped;
  }

  /** @param row not before any row or tick so far: what was to close until then has closed */
  add(row: Row, now: number): void {
    this.#edges.open(row.at);
    this.#groups.add(row, now);
  }

  /** @returns the window that ends by then; null: none does */
  close(now: number): { readonly span: WindowSpan; readonly groups: Groups } | null {
    const { end } = this.#edges;
    if (end === null || now < end) return null;
    const closed = { span: this.#edges.span, groups: this.#groups };
    this.#dropped += this.#groups.dropped;
    this.#groups = new Groups(this.#grouping, this.#bounds);
    this.#edges.advance({ isEmpty: true });
    return closed;
  }

  due(): number | null {
    return this.#edges.end;
  }

  save(): Saved {
    return [this.#groups.save(), this.#edges.save()];
  }

  /** before the first row; one of the same length and keys gave it */
  restore(saved: Saved, rowOf: RowOf): void {
    const [groups, edges] = saved as readonly [Saved, Saved];
    if (this.#groups.restore(groups, rowOf)) this.#edges.restore(edges);
  }
}
