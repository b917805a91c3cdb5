import { order } from "../../value/compare.ts";
import type { Value } from "../../value/value.ts";
import type { Accumulator } from "../define-aggregate.ts";

/** The value that is before all others; the first of equals. */
export function best(isBefore: (order: number) => boolean): Accumulator {
  let found: Value = null;
  return {
    add([x]) {
      if (found === null || isBefore(order(x!, found))) found = x!;
    },
    result: () => found,
    save: () => found,
    restore(saved) {
      found = saved;
    },
  };
}
