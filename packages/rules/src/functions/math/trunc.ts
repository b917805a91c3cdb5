import { defineFunction } from "../define-function.ts";
import { cutDecimal, floatOf, writtenDecimal } from "./part-decimal.ts";
import { goInteger } from "./part-integer.ts";
import { quickCut } from "./part-quick.ts";

export const trunc = defineFunction({
  name: "trunc",
  group: "math",
  summary:
    "The number cut to so many decimal places, towards zero; below 0 tens, hundreds and so on. eKuiper rounds instead, and " +
    "gives a float; in strict mode an integer stays one",
  params: [
    { name: "x", is: "number" },
    { name: "places", is: "integer", isOptional: true },
  ],
  examples: [
    { sql: "trunc(x, 1)", of: { x: 21.44 }, gives: 21.4 },
    { sql: "trunc(x, 1)", of: { x: 21.47 }, gives: 21.5, mode: "compat" },
    { sql: "trunc(x, 1)", of: { x: 21.47 }, gives: 21.4, mode: "strict" },
    { sql: "trunc(-2.9)", gives: -2, mode: "strict" },
    { sql: "trunc(7, 2)", gives: 7, mode: "compat" },
    { sql: "trunc(7, 2)", gives: 7n, mode: "strict" },
    { sql: "trunc(1299, -2)", gives: 1200n, mode: "strict" },
    { sql: "trunc(x, 1)", of: { x: null }, gives: null },
    { sql: "trunc('a', 1)", gives: { error: /x must be number, and is string "a"/ } },
    { sql: "trunc(2.5, 0.5)", gives: { error: /places must be integer, and is float 0.5/ } },
  ],
  run([x, places = 0n], { mode }) {
    const count = Number(places);
    if (mode === "compat") {
      const scaled = Number(x) * 10 ** count;
      return Number(goInteger(scaled + (scaled < 0 ? -0.5 : 0.5))) / 10 ** count;
    }
    if (typeof x === "number") {
      const quick = quickCut(x, count, "towardsZero");
      if (quick !== undefined || !Number.isFinite(x)) return quick ?? x;
    }
    const cut = cutDecimal(writtenDecimal(x as number | bigint), count, "towardsZero");
    if (typeof x === "number") return floatOf(cut);
    return cut.places === 0 ? x! : cut.digits * 10n ** BigInt(-cut.places);
  },
});
