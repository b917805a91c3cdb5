import { limits } from "@penstock/model";
import type { PlannedJoin } from "../plan/plan-join.ts";
import { RowError } from "../value/row-error.ts";
import { effort } from "./effort.ts";
import { newFrame, type Row } from "./frame.ts";
import type { RightRows } from "./right-rows.ts";

/** Where a source's values stand in a wide row: from, up to (not included). */
export interface ValueSpan {
  readonly from: number;
  readonly to: number;
}

/** What is joined: rows whose values stand at their places in the joined row already. */
export interface JoinInput {
  /** of the first source */
  readonly left: readonly Row[];
  rightOf(join: PlannedJoin): RightRows;
  /** of each source */
  readonly spans: readonly ValueSpan[];
}

/**
 * Joins rows, in the order of the left rows, and of the right rows for each.
 *
 * @throws RowError when a condition cannot be computed, an answer is not there, or more rows come out than may
 */
export function joinRows(joins: readonly PlannedJoin[], { left, rightOf, spans }: JoinInput): readonly Row[] {
  let rows = left;
  for (const join of joins) rows = joinOne(join, { left: rows, right: rightOf(join), span: spans[join.source]! });
  return rows;
}

function joinOne(
  { kind, rest }: PlannedJoin,
  { left, right, span }: { readonly left: readonly Row[]; readonly right: RightRows; readonly span: ValueSpan },
): readonly Row[] {
  const frame = newFrame();
  const out: Row[] = [];
  const put = (row: Row) => {
    if (out.push(row) > limits.windowRows)
      throw new RowError(`Cannot join: more than ${limits.windowRows} rows come out of one window`);
  };
  const keepsRight = kind === "right" || kind === "full";
  const met = new Set<Row>();
  for (const one of left) {
    let isMet = false;
    effort.step();
    for (const other of right.meeting(one)) {
      effort.step();
      const merged = merge(one, other, span);
      frame.row = merged;
      if (rest !== null && rest(frame) !== true) continue;
      isMet = true;
      if (keepsRight) met.add(other);
      put(merged);
    }
    if (!isMet && (kind === "left" || kind === "full")) put(one);
  }
  if (keepsRight) for (const other of right.all) if (!met.has(other)) put(other);
  return out;
}

function merge(left: Row, right: Row, { from, to }: ValueSpan): Row {
  const values = [...left.values];
  for (let at = from; at < to; at++) values[at] = right.values[at]!;
  return { at: Math.max(left.at, right.at), source: left.source, values };
}
