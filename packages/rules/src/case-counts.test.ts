import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { allCases } from "../testcases/all.ts";
import { aggregateFunctions } from "./functions/aggregate/all.ts";
import { analyticFunctions } from "./functions/analytic/all.ts";
import { scalarFunctions } from "./functions/registry.ts";
import { rowsFunctions } from "./functions/rows/all.ts";
import { surroundingFunctions } from "./functions/surroundings.ts";
import type { Mode } from "./parse/ast.ts";

/** Cases that give something: one that is refused shows no window and no join at work. */
const cases = Object.values(allCases).flat();
const played = cases.filter(({ refused }) => refused === undefined);
const inCompat = <T extends { readonly mode?: Mode }>(all: readonly T[]) => all.filter(({ mode }) => mode !== "strict");
const windowed = (kind: string, also = /(?:)/) =>
  inCompat(played).filter(({ sql }) => new RegExp(`\\b${kind}\\(`).test(sql) && also.test(sql)).length;
const tableCases = inCompat(played).filter(({ streams = [] }) => streams.some((one) => one.startsWith("CREATE TABLE")));
const isLookup = ({ streams = [] }: (typeof cases)[number]) => streams.some((one) => one.includes("KIND='lookup'"));
const streamJoins = inCompat(played).filter((one) => !tableCases.includes(one));

/** How many cases of each kind there must be; a window's further forms beside it. */
const promised: Readonly<Record<string, readonly [least: number, found: number]>> = {
  tumbling: [4, windowed("TUMBLINGWINDOW")],
  hopping: [4, windowed("HOPPINGWINDOW")],
  sliding: [4, windowed("SLIDINGWINDOW")],
  "sliding with a delay": [4, windowed("SLIDINGWINDOW", /SLIDINGWINDOW\(\w+, \d+, [1-9]/)],
  "sliding OVER (WHEN …)": [4, windowed("SLIDINGWINDOW", /OVER \(WHEN/)],
  session: [4, windowed("SESSIONWINDOW")],
  count: [4, windowed("COUNTWINDOW")],
  state: [4, windowed("STATEWINDOW")],
  "event time": [10, inCompat(played).filter((one) => one.eventTime !== undefined).length],
  ...Object.fromEntries(
    ["INNER", "LEFT", "RIGHT", "FULL", "CROSS"].map((kind) => [
      `${kind} JOIN of streams`,
      [10, streamJoins.filter(({ sql }) => sql.includes(`${kind} JOIN`)).length] as const,
    ]),
  ),
  "join of a scan table": [10, tableCases.filter((one) => !isLookup(one)).length],
  "join of a lookup table": [10, tableCases.filter(isLookup).length],
  "refused with its place": [25, cases.length - played.length],
};

/** What of the surprises is not the engine's, and where its case is: the queue before a rule, which drops its oldest. */
const elsewhere: Readonly<Record<number, string>> = { 13: "packages/edge/src/rules/queue-full.test.ts" };

test("cases in compat mode are 400 or more, and as many of each kind as are promised", (t) => {
  const compat = inCompat(cases).length;
  const specs = [scalarFunctions, aggregateFunctions, analyticFunctions, rowsFunctions].flatMap((one) => [
    ...new Set<{ readonly examples: readonly { readonly mode?: Mode }[] }>(one.values()),
  ]);
  const examples = specs.reduce((sum, one) => sum + inCompat(one.examples).length, 0);
  t.diagnostic(
    `query cases: ${cases.length}, of them in compat mode ${compat}; examples of functions there: ${examples}`,
  );
  for (const [kind, [least, found]] of Object.entries(promised)) t.diagnostic(`${kind}: ${found} (at least ${least})`);
  assert.ok(compat >= 400 && examples >= 700, `${compat} query cases, ${examples} examples`);
  const short = Object.entries(promised).filter(([, [least, found]]) => found < least);
  assert.deepEqual(short, []);
});

test("every surprise has a case of its number", () => {
  const numbers = Array.from({ length: 20 }, (_, at) => at + 1);
  const missing = numbers.filter(
    (number) =>
      !(number in elsewhere) && !cases.some(({ name, mode }) => name.startsWith(`1.6.${number} `) && mode !== "strict"),
  );
  assert.deepEqual(missing, []);
  for (const [number, path] of Object.entries(elsewhere)) {
    const text = readFileSync(`${import.meta.dirname}/../../../${path}`, "utf8");
    assert.ok(text.includes(`test("1.6.${number} `), path);
  }
});

test("every function of what is around a row is in a case", () => {
  const missing = surroundingFunctions.filter(({ name }) => !cases.some(({ sql }) => sql.includes(`${name}(`)));
  assert.deepEqual(missing, []);
});

test("no two cases of a mode have one name", () => {
  const names = Object.entries(allCases).flatMap(([topic, all]) =>
    all.flatMap(({ name, mode }) =>
      (mode === undefined ? ["compat", "strict"] : [mode]).map((one) => `${topic}: ${name} (${one})`),
    ),
  );
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
});
