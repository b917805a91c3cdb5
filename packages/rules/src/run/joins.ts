import type { PlannedJoin } from "../plan/plan-join.ts";
import type { Plan } from "../plan/plan-query.ts";
import type { Saved } from "../value/saved.ts";
import type { Value } from "../value/value.ts";
import type { Row } from "./frame.ts";
import { joinRows } from "./join-rows.ts";
import type { RowBounds } from "./kept-rows.ts";
import type { Find, LookupRow } from "./lookup.ts";
import { rowReader } from "./read-row.ts";
import { asked, indexed, type RightRows } from "./right-rows.ts";
import type { RowOf } from "./saved-rows.ts";
import { Table } from "./table.ts";

/** The joins of a running query, and the tables that it keeps for them. */
export class Joins {
  readonly #plan: Plan;
  /** kept tables by the place of their source */
  readonly #tables = new Map<number, Table>();
  readonly #readers = new Map<number, (row: LookupRow, at: number) => Row>();

  constructor(plan: Plan, bounds: RowBounds) {
    this.#plan = plan;
    for (const join of plan.joins) {
      if (join.table?.t === "kept") this.#tables.set(join.source, new Table(join, join.table, bounds));
      if (join.table?.t !== "asked") continue;
      const read = rowReader(plan.sources[join.source]!, join.table.schema);
      this.#readers.set(join.source, (content, at) => this.widened(read({ content, at })));
    }
  }

  /** The row with room for the values of all sources. */
  widened(row: Row): Row {
    const { sources } = this.#plan;
    const { offset } = sources[row.source]!;
    const last = sources.at(-1)!;
    const values = new Array<Value>(last.offset + last.columns.length).fill(null);
    for (const [at, value] of row.values.entries()) values[offset + at] = value;
    return { at: row.at, source: row.source, values };
  }

  /** rows of tables that went since too much was kept */
  get dropped(): number {
    let dropped = 0;
    for (const table of this.#tables.values()) dropped += table.dropped;
    return dropped;
  }

  /** whether the row is a kept table's, which gives nothing by itself */
  isTable({ source }: Row): boolean {
    return this.#tables.has(source);
  }

  /** @param wide of a kept table */
  takes(wide: Row): void {
    this.#tables.get(wide.source)?.take(wide);
  }

  /**
   * @param rows of the streams, wide
   * @param find  answers what lookup tables are asked, where there are any
   * @param each  called before each join: what it throws ends them
   * @throws RowError
   */
  of(rows: readonly Row[], find: Find = nothing, each: () => void = () => {}): readonly Row[] {
    const { joins, sources } = this.#plan;
    const spans = sources.map(({ offset, columns }) => ({ from: offset, to: offset + columns.length }));
    const left = rows.filter(({ source }) => source === 0);
    const rightOf = (join: PlannedJoin) => {
      each();
      return this.#rightOf(join, rows, find);
    };
    return joinRows(joins, { left, spans, rightOf });
  }

  #rightOf(join: PlannedJoin, rows: readonly Row[], find: Find): RightRows {
    const { equal, source, table } = join;
    if (table?.t === "asked") return asked(table, { equal, find, read: this.#readers.get(source)! });
    const kept = this.#tables.get(source);
    return kept === undefined
      ? indexed(
          equal,
          rows.filter((one) => one.source === source),
        )
      : kept.right;
  }

  /** Each kept table with what it is, so that it is taken up by the same alone. */
  save(): Saved {
    return [...this.#tables].map(([source, table]): Saved => [this.#is(source), table.save()]);
  }

  restore(saved: Saved, rowOf: RowOf): void {
    const kept = new Map(saved as unknown as readonly (readonly [string, Saved])[]);
    for (const [source, table] of this.#tables) {
      const rows = kept.get(this.#is(source));
      if (rows !== undefined) table.restore(rows, rowOf);
    }
  }

  #is(source: number): string {
    const { table } = this.#plan.joins.find((join) => join.source === source)!;
    return `${this.#plan.fingerprints.tables[source]} ${table!.t === "kept" ? table!.is : ""}`;
  }
}

const nothing: Find = () => [];
