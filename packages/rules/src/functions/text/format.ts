import { RowError } from "../../value/row-error.ts";
import { shown } from "../../value/value.ts";
import { BoundedCache } from "../bounded-cache.ts";
import { defineFunction } from "../define-function.ts";
import { cutDecimal, exactDecimal, plainDecimal, writtenDecimal } from "../math/part-decimal.ts";
import { quickCut } from "../math/part-quick.ts";
import { plainFloat } from "./part-go-text.ts";

/** What Intl can print. */
const placesMost = 100;
/** @source RFC 5646, 4.4.1: room for every tag that is registered */
const localeMost = 35;
/** By places and locale; to make one takes longer than to use it. */
const formats = new BoundedCache(100, (key) => {
  const [, places, locale] = /^(\d+) (.*)$/s.exec(key)!;
  const digits = { minimumFractionDigits: Number(places), maximumFractionDigits: Number(places) };
  return new Intl.NumberFormat(knownLocale(locale!), digits);
});

export const format = defineFunction({
  name: "format",
  group: "text",
  summary:
    "The number as a text with so many decimal places, and with a locale such as de_DE in the way of that place. Without one eKuiper " +
    "rounds what the float is to the last bit, strict mode what is written",
  params: [
    { name: "number", is: "number" },
    { name: "places", is: "integer" },
    { name: "locale", is: "text", isOptional: true },
  ],
  examples: [
    { sql: "format(12332.123456, 4)", gives: "12332.1235" },
    { sql: "format(7, 2)", gives: "7.00" },
    { sql: "format(1.005, 2)", gives: "1.00", mode: "compat" },
    { sql: "format(1.005, 2)", gives: "1.01", mode: "strict" },
    { sql: "format(2.5, 0)", gives: "2", mode: "compat" },
    { sql: "format(-0.001, 2)", gives: "-0.00", mode: "compat" },
    { sql: "format(-0.001, 2)", gives: "0.00", mode: "strict" },
    { sql: "format(2.5, 0)", gives: "3", mode: "strict" },
    { sql: "format(12332.2, 2, 'en_US')", gives: "12,332.20" },
    { sql: "format(12332.2, 2, 'de_DE')", gives: "12.332,20" },
    { sql: "format(1.5, 1, 'xx_YY')", gives: { error: /there is no locale "xx_YY"/ } },
    { sql: "format(1.5, 1, 'de DE')", gives: { error: /there is no locale "de DE"/ } },
    { sql: "format(1.5, -1)", gives: { error: /places is -1, and must be from 0 to 100/ } },
    { sql: "format(1.5, 1000000)", gives: { error: /must be from 0 to 100/ } },
    { sql: "format(x, 2)", of: { x: null }, gives: null },
    { sql: "format('a', 2)", gives: { error: /number must be number, and is string "a"/ } },
  ],
  compiles: 2,
  run([number, places, locale], { mode }) {
    const count = Number(places);
    if (!(count >= 0 && count <= placesMost)) {
      throw new RowError(`Cannot call format: places is ${count}, and must be from 0 to ${placesMost}`);
    }
    const x = mode === "compat" ? Number(number) : (number as number | bigint);
    if (locale !== undefined) return formats.get(`${count} ${locale}`).format(x);
    if (typeof x === "number" && !Number.isFinite(x)) return plainFloat(x);
    return mode === "compat" ? exactFixed(x as number, count) : writtenFixed(x, count);
  },
});

/** @source Go 1.23, package fmt, verb %.nf: halves to the even digit, and what is below 0 keeps its sign */
function exactFixed(x: number, places: number): string {
  // A half is one of a power of two. Beside halves toFixed rounds as Go does, and faster.
  if (!Number.isInteger(x * 2 ** (places + 1)) && Math.abs(x) < 1e21) return x.toFixed(places);
  const text = plainDecimal(cutDecimal(exactDecimal(x), places, "halfEven"), places);
  const isNegative = x < 0 || Object.is(x, -0);
  return isNegative && !text.startsWith("-") ? `-${text}` : text;
}

function writtenFixed(x: number | bigint, places: number): string {
  const quick = typeof x === "number" ? quickCut(x, places, "halfAway") : undefined;
  if (quick !== undefined) return quick.toFixed(places);
  return plainDecimal(cutDecimal(writtenDecimal(x), places, "halfAway"), places);
}

/** @throws RowError */
function knownLocale(locale: string): string {
  let known: readonly string[] = [];
  try {
    if (locale.length <= localeMost) known = Intl.NumberFormat.supportedLocalesOf(locale.replaceAll("_", "-"));
  } catch {
    // Not even in the shape of one.
  }
  if (known[0] === undefined) throw new RowError(`Cannot call format: there is no locale ${shown(locale)}`);
  return known[0];
}
