import type { EqualPair, PlannedTable } from "../plan/plan-join.ts";
import { RowError } from "../value/row-error.ts";
import { type ObjectValue, shown, type Value } from "../value/value.ts";
import { effort } from "./effort.ts";
import { newFrame, type Row } from "./frame.ts";
import { joinKey, keyText } from "./join-key.ts";
import type { Find, LookupRow } from "./lookup.ts";

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

/**
 * Rows of a lookup table, asked for one left row after the other. Where an answer is not known yet there are none, and the
 * one who finds takes note.
 *
 * @param of.read makes a wide row of one
 */
export function asked(
  { schema, columns }: PlannedTable & { readonly t: "asked" },
  of: { readonly equal: readonly EqualPair[]; readonly find: Find; read(row: LookupRow, at: number): Row },
): RightRows {
  const { equal, find, read } = of;
  const { name: table } = schema;
  const frame = newFrame();
  return {
    all: [],
    meeting(left) {
      frame.row = left;
      const values = equal.map((one) => one.left(frame));
      if (values.includes(null)) return [];
      const keys: ObjectValue = Object.fromEntries(columns.map((name, at) => [name, values[at]!]));
      const found = find({ table, keys, key: questionKey(keys) }) ?? [];
      if ("failure" in found) throw new RowError(`Cannot look up ${shown(keys)} in "${table}": ${found.failure}`);
      return found.map((row) => read(row, left.at));
    },
  };
}

function questionKey(keys: ObjectValue): string {
  const names = Object.keys(keys).sort();
  return keyText(names.flatMap((name): Value[] => [name, keys[name]!]));
}
