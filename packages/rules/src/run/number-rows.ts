import type { Mode } from "../parse/ast.ts";
import type { Value } from "../value/value.ts";
import { effort } from "./effort.ts";
import type { Evaluate, Frame } from "./frame.ts";
import { keyOf } from "./groups.ts";
import { compareKeys, type SortKey } from "./sort-keys.ts";

/** `row_number() OVER (PARTITION BY … ORDER BY …)` */
export interface Numbering {
  readonly partition: readonly Evaluate[];
  readonly orderBy: readonly SortKey[];
}

/** What a frame is filled with for one result. */
export type Filled = Pick<Frame, "row" | "aggregates">;

/** For each result its number from 1 on, by each numbering: among those of its partition, in its order. */
export function numberRows(
  results: readonly Filled[],
  {
    numberings,
    frame,
    mode,
  }: { readonly numberings: readonly Numbering[]; readonly frame: Frame; readonly mode: Mode },
): readonly (readonly number[])[] {
  const numbers = results.map(() => new Array<number>(numberings.length).fill(1));
  for (const [which, { partition, orderBy }] of numberings.entries()) {
    const keyed = results.map((filled, at) => {
      effort.parts(5 + orderBy.length);
      Object.assign(frame, filled);
      const keys: readonly Value[] = orderBy.map(({ key }) => key(frame));
      return { at, keys, partition: keyOf(partition, frame) };
    });
    effort.sort(results.length * Math.max(1, orderBy.length));
    keyed.sort((a, b) => compareKeys(orderBy, mode, a.keys, b.keys));
    const counts = new Map<unknown, number>();
    for (const { at, partition: key } of keyed) {
      const number = (counts.get(key) ?? 0) + 1;
      counts.set(key, number);
      numbers[at]![which] = number;
    }
  }
  return numbers;
}
