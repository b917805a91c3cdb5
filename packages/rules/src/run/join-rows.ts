import { limits } from "@penstock/model";
import type { PlannedJoin } from "../plan/plan-join.ts";
import { RowError } from "../value/row-error.ts";
import { kindOf, shown, type Value } from "../value/value.ts";
import { type Evaluate, newFrame, type Row } from "./frame.ts";

/** Rows of a window whose values stand at their places in the joined row already. */
export interface JoinInput {
  readonly rows: readonly Row[];
  /** where a source's values stand: from, up to (not included) */
  readonly spans: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Joins the rows of one window, in the order of the left rows, and of the right rows for each.
 *
 * @throws RowError when a condition cannot be computed, or more rows come out than may
 */
export function joinRows(joins: readonly PlannedJoin[], { rows, spans }: JoinInput): readonly Row[] {
  let left: readonly Row[] = rows.filter(({ source }) => source === 0);
  for (const join of joins) {
    const right = rows.filter(({ source }) => source === join.source);
    left = joinOne(join, { left, right, span: spans[join.source]! });
  }
  return left;
}

function joinOne(
  { kind, equal, rest }: PlannedJoin,
  of: {
    readonly left: readonly Row[];
    readonly right: readonly Row[];
    readonly span: { readonly from: number; readonly to: number };
  },
): readonly Row[] {
  const { left, right, span } = of;
  const frame = newFrame();
  const keyOf = (keys: readonly Evaluate[], row: Row): string | null => {
    frame.row = row;
    return joinKey(keys.map((key) => key(frame)));
  };
  const leftKeys = equal.map((one) => one.left);
  const rightKeys = equal.map((one) => one.right);
  const byKey = new Map<string, Row[]>();
  for (const row of right) {
    const key = keyOf(rightKeys, row);
    if (key === null) continue;
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [row]);
    else same.push(row);
  }
  const out: Row[] = [];
  const put = (row: Row) => {
    if (out.push(row) > limits.windowRows)
      throw new RowError(`Cannot join: more than ${limits.windowRows} rows come out of one window`);
  };
  const met = new Set<Row>();
  for (const one of left) {
    const key = keyOf(leftKeys, one);
    let isMet = false;
    for (const other of (key === null ? undefined : byKey.get(key)) ?? []) {
      const merged = merge(one, other, span);
      frame.row = merged;
      if (rest !== null && rest(frame) !== true) continue;
      isMet = true;
      met.add(other);
      put(merged);
    }
    if (!isMet && (kind === "left" || kind === "full")) put(one);
  }
  if (kind === "right" || kind === "full") for (const other of right) if (!met.has(other)) put(other);
  return out;
}

function merge(left: Row, right: Row, { from, to }: { readonly from: number; readonly to: number }): Row {
  const values = [...left.values];
  for (let at = from; at < to; at++) values[at] = right.values[at]!;
  return { at: Math.max(left.at, right.at), source: left.source, values };
}

/** Null equals nothing, so it has no key; an integer and a float of one value have the same. */
function joinKey(values: readonly Value[]): string | null {
  let key = "";
  for (const value of values) {
    if (value === null) return null;
    const kind = kindOf(value);
    const text =
      kind === "bigint" || kind === "float"
        ? `n${String(value)}`
        : `${kind} ${typeof value === "string" ? value : shown(value)}`;
    key += `${text.length}:${text}`;
  }
  return key;
}
