import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { shown, type Value } from "../../value/value.ts";
import type { Accumulator } from "../define-aggregate.ts";

/** Keeps the numbers of a group for what needs them all, such as a median. Bounded by the window that feeds it. */
export function keepingNumbers(resultOf: (numbers: readonly number[], rest: readonly Value[]) => Value): Accumulator {
  let numbers: number[] = [];
  let others: readonly Value[] = [];
  return {
    add([value, ...rest]) {
      numbers.push(Number(value));
      others = rest;
    },
    result() {
      effort.sort(numbers.length);
      return numbers.length === 0 ? null : resultOf(numbers, others);
    },
    save: () => [[...numbers], others],
    restore(saved) {
      const [before, rest] = saved as readonly [readonly number[], readonly Value[]];
      numbers = [...before];
      others = rest;
    },
  };
}

/** Sum of squared distances from the mean, without the error of subtracting two great sums. @source Welford, 1962 */
export function spread(resultOf: (squares: number, count: number) => Value): Accumulator {
  let count = 0;
  let mean = 0;
  let squares = 0;
  return {
    add([value]) {
      const x = Number(value);
      count++;
      const before = x - mean;
      mean += before / count;
      squares += before * (x - mean);
    },
    result: () => (count === 0 ? null : resultOf(squares, count)),
    save: () => [count, mean, squares],
    restore(saved) {
      [count, mean, squares] = saved as [number, number, number];
    },
  };
}

/** @throws RowError */
export function fractionOf(name: string, fraction: Value): number {
  const value = Number(fraction);
  if (value >= 0 && value <= 1) return value;
  throw new RowError(`Cannot call ${name}: fraction must be between 0 and 1, and is ${shown(fraction)}`);
}
