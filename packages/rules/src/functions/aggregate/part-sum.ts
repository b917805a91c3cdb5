import type { Mode } from "../../parse/ast.ts";
import { calculate } from "../../value/arithmetic.ts";
import type { Saved, Stateful } from "../../value/saved.ts";
import type { Value } from "../../value/value.ts";

/**
 * Adds numbers. Strict: integers stay exact as long as all are integers. Compat: the first value says which arithmetic it
 * is, as eKuiper has it; floats added to an integer sum are cut.
 */
export class Sum implements Stateful {
  readonly #mode: Mode;
  #integers = 0n;
  #floats = 0;
  #isFloat = false;
  count = 0;

  constructor(mode: Mode) {
    this.#mode = mode;
  }

  add(value: number | bigint): void {
    const isFirst = this.count++ === 0;
    if (isFirst) this.#isFloat = typeof value === "number";
    if (this.#isFloat) this.#floats += Number(value);
    else if (typeof value === "bigint") this.#integers = calculate("+", this.#integers, value, this.#mode) as bigint;
    else if (this.#mode === "compat") this.#integers += BigInt(Math.trunc(value));
    else {
      this.#isFloat = true;
      this.#floats = Number(this.#integers) + value;
    }
  }

  save(): Saved {
    return [this.#integers, this.#floats, this.#isFloat, this.count];
  }

  restore(saved: Saved): void {
    [this.#integers, this.#floats, this.#isFloat, this.count] = saved as [bigint, number, boolean, number];
  }

  get value(): bigint | number {
    return this.#isFloat ? this.#floats : this.#integers;
  }

  /** In compat mode the mean of integers is one, cut towards zero; in strict mode every mean is a float. */
  get mean(): Value {
    const { value } = this;
    if (this.count === 0) return null;
    if (typeof value === "number") return value / this.count;
    return this.#mode === "compat" ? value / BigInt(this.count) : Number(value) / this.count;
  }
}
