import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { shown, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { goText } from "../text/part-go-text.ts";
import { fitting } from "./part-integer.ts";

export const conv = defineFunction({
  name: "conv",
  group: "math",
  summary:
    "A number written to one base, from 2 to 36, written to another, in capitals. eKuiper reads as far as there are digits, " +
    "writes a negative number as 64 bits without a sign unless `to` is negative, and gives null for other bases",
  params: [
    { name: "number", is: ["text", "number"] },
    { name: "from", is: "integer" },
    { name: "to", is: "integer" },
  ],
  examples: [
    { sql: "conv('ff', 16, 10)", gives: "255" },
    { sql: "conv(10, 10, 2)", gives: "1010" },
    { sql: "conv('-17', 10, 18)", gives: "2D3FGB0B9CG4BD1H", mode: "compat" },
    { sql: "conv('-17', 10, -18)", gives: "-H", mode: "compat" },
    { sql: "conv('-17', 10, 18)", gives: "-H", mode: "strict" },
    { sql: "conv('12F', 10, 16)", gives: "C", mode: "compat" },
    { sql: "conv('12F', 10, 16)", gives: { error: /"12F" is no integer to the base of 10/ }, mode: "strict" },
    { sql: "conv('a', 1, 10)", gives: null, mode: "compat" },
    { sql: "conv('a', 1, 10)", gives: { error: /bases are from 2 to 36/ }, mode: "strict" },
    { sql: "conv('10000000000000000', 16, 10)", gives: { error: /does not fit 64 bits/ } },
    { sql: "conv(n, 16, 10)", of: { n: null }, gives: null },
    { sql: "conv('a', 'b', 10)", gives: { error: /from must be integer/ } },
  ],
  run([number, from, to], { mode }) {
    const bases = [from, to].map(Number) as [number, number];
    return mode === "compat" ? goConv(goText(number!), bases) : strictConv(number!, bases);
  },
});

const isBase = (base: number) => base >= 2 && base <= 36;

function strictConv(number: Value, [from, to]: readonly [number, number]): string {
  if (!isBase(from) || !isBase(to))
    throw new RowError(`Cannot call conv: bases are from 2 to 36, not ${from} and ${to}`);
  const [, sign, digits] = /^([+-]?)([0-9a-z]+)$/i.exec(String(number)) ?? [];
  const size = digits === undefined ? null : magnitude(digits, from);
  if (size === null) throw new RowError(`Cannot call conv: ${shown(number)} is no integer to the base of ${from}`);
  return fitting("conv", sign === "-" ? -size : size)
    .toString(to)
    .toUpperCase();
}

/** @returns null for what are no digits to the base */
function magnitude(digits: string, base: number): bigint | null {
  effort.eachChar(digits.length << 2);
  let sum = 0n;
  for (const digit of digits) {
    const value = Number.parseInt(digit, 36);
    if (!(value < base)) return null;
    sum = sum * BigInt(base) + BigInt(value);
    if (sum >= 2n ** 64n)
      throw new RowError(`Cannot call conv: ${shown(digits)} to the base of ${base} does not fit 64 bits`);
  }
  return sum;
}

function goConv(text: string, [from, to]: readonly [number, number]): string | null {
  const [base, target] = [Math.abs(from), Math.abs(to)];
  if (!isBase(base) || !isBase(target)) return null;
  const [, sign, rest] = /^([+-]?)(.*)$/s.exec(text.trim())!;
  effort.eachChar(text.length << 3);
  const count = [...rest!].findIndex((digit) => !/[0-9a-z]/i.test(digit) || Number.parseInt(digit, 36) >= base);
  const size = magnitude(count < 0 ? rest! : rest!.slice(0, count), base)!;
  const isNegative = sign === "-";
  // A negative `from` reads 64 bits with a sign, and stops at its bounds.
  const bound = isNegative ? 2n ** 63n : 2n ** 63n - 1n;
  const bounded = from < 0 && size > bound ? bound : size;
  const bits = BigInt.asUintN(64, isNegative ? -bounded : bounded);
  const signed = BigInt.asIntN(64, bits);
  return (to < 0 ? signed : bits).toString(target).toUpperCase();
}
