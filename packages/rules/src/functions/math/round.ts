import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";
import { cutDecimal, floatOf, writtenDecimal } from "./part-decimal.ts";
import { fitting, goInteger } from "./part-integer.ts";
import { quickCut } from "./part-quick.ts";

export const round = defineFunction({
  name: "round",
  group: "math",
  summary:
    "The nearest number with so many decimal places, of two equally near the one away from zero; below 0 tens, hundreds and so " +
    "on. In strict mode a float is rounded as it is written, and an integer stays one",
  params: [
    { name: "x", is: "number" },
    { name: "places", is: "number", isOptional: true },
  ],
  examples: [
    { sql: "round(x)", of: { x: -2.5 }, gives: -3 },
    { sql: "round(7)", gives: 7, mode: "compat" },
    { sql: "round(7)", gives: 7n, mode: "strict" },
    { sql: "round(x, 2)", of: { x: 21.456 }, gives: 21.46 },
    { sql: "round(1.005, 2)", gives: 1, mode: "compat" },
    { sql: "round(1.005, 2)", gives: 1.01, mode: "strict" },
    { sql: "round(1250.0, -2)", gives: 1300 },
    { sql: "round(1250, -2)", gives: 1300n, mode: "strict" },
    { sql: "round(21.456, 1.9)", gives: 21.5, mode: "compat" },
    { sql: "round(21.456, 1.9)", gives: { error: /places must be an integer/ }, mode: "strict" },
    { sql: "round(9223372036854775807, -1)", gives: { error: /does not fit 64 bits/ }, mode: "strict" },
    { sql: "round(x)", of: { x: null }, gives: null },
    { sql: "round('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  run([x, places = 0n], { mode }) {
    if (mode === "compat") return goRound(Number(x), Number(goInteger(Number(places))));
    if (typeof places === "number" && !Number.isInteger(places)) {
      throw new RowError(`Cannot call round: places must be an integer, and is ${places}`);
    }
    if (typeof x === "number") {
      const quick = quickCut(x, Number(places), "halfAway");
      if (quick !== undefined || !Number.isFinite(x)) return quick ?? x;
    }
    const cut = cutDecimal(writtenDecimal(x as number | bigint), Number(places), "halfAway");
    if (typeof x === "number") return floatOf(cut);
    return cut.places === 0 ? x! : fitting("round", cut.digits * 10n ** BigInt(-cut.places));
  },
});

function goRound(x: number, places: number): number {
  const factor = 10 ** places;
  const scaled = x * factor;
  if (Math.abs(scaled) === Number.POSITIVE_INFINITY || factor === Number.POSITIVE_INFINITY) return x;
  return (Math.sign(scaled) * Math.round(Math.abs(scaled))) / factor;
}
