import type { EqualPair, PlannedTable } from "../plan/plan-join.ts";
import type { ObjectValue } from "../value/value.ts";
import { effort } from "./effort.ts";
import { newFrame, type Row } from "./frame.ts";
import { joinKey } from "./join-key.ts";
import { type Lookup, type LookupRow, NotKnownYet } from "./lookup.ts";

/** The rows that a source brings to a join. */
export interface RightRows {
  /** for those that have no partner */
  readonly all: readonly Row[];
  /** those that have the left row's values; all, where nothing has to be equal */
  meeting(left: Row): readonly Row[];
}

/** Rows that are here, found by what has to be equal. */
export function indexed(equal: readonly EqualPair[], all: readonly Row[]): RightRows {
  const frame = newFrame();
  const byKey = new Map<string, Row[]>();
  for (const row of all) {
    effort.step();
    frame.row = row;
    const key = joinKey(equal.map(({ right }) => right(frame)));
    if (key === null) continue;
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [row]);
    else same.push(row);
  }
  return {
    all,
    meeting(left) {
      frame.row = left;
      const key = joinKey(equal.map((one) => one.left(frame)));
      return (key === null ? undefined : byKey.get(key)) ?? [];
    },
  };
}

/** Rows of a lookup table, asked for one left row after the other. @param read makes a wide row of one */
export function asked(
  { schema, columns }: PlannedTable & { readonly t: "asked" },
  of: { readonly equal: readonly EqualPair[]; readonly lookup: Lookup | null; read(row: LookupRow, at: number): Row },
): RightRows {
  const { equal, lookup, read } = of;
  const frame = newFrame();
  return {
    all: [],
    meeting(left) {
      frame.row = left;
      const values = equal.map((one) => one.left(frame));
      if (values.includes(null)) return [];
      const keys: ObjectValue = Object.fromEntries(columns.map((name, at) => [name, values[at]!]));
      const wanted = { table: schema.name, keys };
      const found = lookup?.find(wanted) ?? null;
      if (found === null) throw new NotKnownYet(wanted);
      return found.map((row) => read(row, left.at));
    },
  };
}
