import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@penstock/model";
import { testHost } from "../functions/test-host.ts";
import type { Mode } from "../parse/ast.ts";
import { planQuery } from "../plan/plan-query.ts";
import type { Value } from "../value/value.ts";
import { effort, TooMuchWork } from "./effort.ts";
import { QueryRunner } from "./query-runner.ts";

type Columns = { readonly [name: string]: Value };
interface Hostile {
  readonly sql: string;
  readonly mode?: Mode;
  /** rows before the last input; as long as they are pushed nothing bounds their work */
  readonly before?: { readonly count: number; row(at: number): Columns };
  /** the last row; none: time passes */
  readonly row?: Columns;
  /** false: it is large, and what a rule may do */
  readonly ends?: false;
}

const texts = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at));
const long = "x".repeat(60_000);
const emoji = "🜁é".repeat(20_000);
const wide = Object.fromEntries(texts(1000, (at) => `field-${at}`).map((name) => [name, 1n]));
const grid = Array.from({ length: 250 }, () => texts(250, (at) => `e${at}`));
const numbers = Array.from({ length: 20_000 }, (_, at) => BigInt((at * 7919) % 20_011));
const json = `[${"1,".repeat(400_000)}1]`;
const many = (of: string) => texts(100, (at) => `${of} AS c${at}`).join(", ");
const window = "GROUP BY TUMBLINGWINDOW(ss, 1)";
const filled = (count: number, row: (at: number) => Columns) => ({ before: { count, row } });

const hostile: Readonly<Record<string, Hostile>> = {
  ...{
    "cross join": {
      sql: `SELECT count(*) AS n FROM a INNER JOIN b ON a.x < b.x ${window}`,
      ...filled(6000, (at) => ({ x: BigInt(at) })),
    },
    "cross join, three times": {
      sql: `SELECT count(*) AS n FROM a LEFT JOIN b ON a.x < b.x FULL JOIN a AS c ON a.x > c.x ${window}`,
      ...filled(1500, (at) => ({ x: BigInt(at % 10) })),
    },
    "a long query over many rows": {
      sql: `SELECT ${Array.from({ length: 200 }, (_, at) => `x + ${texts(60, () => "x").join(" + ")} AS c${at}`).join(", ")} FROM a ${window}`,
      ...filled(1000, () => ({ x: 1 })),
    },
    "row_number of row_number": {
      sql: `SELECT x, row_number() OVER (PARTITION BY t ORDER BY t DESC, x) AS n FROM a ORDER BY t, x`.replace(
        "ORDER BY t, x",
        `${window} ORDER BY t, x`,
      ),
      ...filled(100_000, (at) => ({ x: BigInt(at), t: `${"y".repeat(500)}${at}` })),
    },
    "sort of long texts": {
      sql: `SELECT t FROM a ${window} ORDER BY t`,
      ...filled(10_000, (at) => ({ t: `${long}${at}` })),
    },
    "many results with all columns": {
      sql: `SELECT * FROM a ${window}`,
      ...filled(3000, () => wide),
    },
    "median of a million": {
      sql: `SELECT median(x) AS m, percentile_cont(x, 0.5) AS p FROM a ${window}`,
      ...filled(200_000, (at) => ({ x: (at * 7919) % 60_013 })),
    },
    "collect of whole rows": {
      sql: `SELECT collect(*) AS a, array_distinct(collect(*)) AS d, to_json(collect(*)) AS j FROM a ${window}`,
      ...filled(3000, () => wide),
    },
    "deduplicate of long texts": {
      sql: `SELECT deduplicate(t, true) AS d FROM a ${window}`,
      ...filled(10_000, (at) => ({ t: `${"x".repeat(2000)}${at}` })),
    },
    "an error for each row": {
      sql: `SELECT x[7] AS e FROM a ${window}`,
      ...filled(20_000, () => ({ x: grid.slice(0, 3) })),
    },
    "groups by what is large": {
      sql: `SELECT count(*) AS n FROM a GROUP BY x, t, COUNTWINDOW(41)`,
      ...filled(40, (at) => ({ x: grid.slice(0, 50), t: BigInt(at) })),
      row: { x: grid, t: 0n },
    },
    "windows without end": {
      sql: "SELECT count(*) AS n, collect(x) AS c FROM a GROUP BY HOPPINGWINDOW(ms, 30000000, 1)",
      ...filled(20, () => ({ x: 1n })),
    },
    "rows of rows": {
      sql: "SELECT unnest(x) AS e, s FROM a",
      row: { x: new Array<Value>(60_000).fill(wide), s: "x" },
    },
    "rows of a wide row": { sql: "SELECT *, unnest(x) AS e FROM a", row: { ...wide, x: numbers } },
  },
  ...Object.fromEntries(
    Object.entries({
      concat: ["concat(t, t, t)", { t: "x".repeat(20_000) }],
      "upper of lower": ["lower(upper(t))", { t: emoji }],
      lpad: ["lpad(t, 60000, 'ab')", { t: "x" }],
      reverse: ["reverse(t)", { t: emoji }],
      length: ["length(t)", { t: emoji }],
      indexof: ["indexof(t, u)", { t: long, u: `${"x".repeat(30_000)}y` }],
      substring: ["substring(t, 1, 50000)", { t: emoji }],
      trim: ["trim(t)", { t: " ".repeat(60_000) }],
      split_value: ["split_value(t, 'x', 1)", { t: long }],
      LIKE: ["t LIKE u", { t: long, u: `%${"x".repeat(300)}_y%` }],
      regexp: ["regexp_matches(t, '^(x+x+)+y$')", { t: long.slice(0, 40_000) }],
      "regexp that is made anew": ["regexp_matches('x', concat(u, r))", { u: "(a|b|c)*d{2,9}".repeat(40), r: "x" }],
      regexp_replace: ["regexp_replace(t, 'x', 'y')", { t: long }],
      sha512: ["sha512(t)", { t: long }],
      "md5 of crc32": ["md5(crc32(t))", { t: long }],
      compress: ["compress(t, 'gzip')", { t: texts(6000, (at) => `${(at * 7919) % 10_007}`).join("") }],
      "compress little": ["compress(u, 'zstd')", { u: "x" }],
      decompress: ["decompress(b, 'gzip')", { b: testHost.compress("gzip", new Uint8Array(1_000_000)) }],
      conv: ["conv(t, 2, 16)", { t: "0".repeat(60_000) }],
      dec2hex: ["hex2dec(t)", { t: `0x${"0".repeat(60_000)}1` }],
      round: ["round(x, 300)", { x: 1.1e-300 }],
      parse_json: ["parse_json(t)", { t: json }],
      "parse_json of deep texts": [
        "parse_json(t)",
        { t: `[${texts(8000, () => "[".repeat(60) + "]".repeat(60)).join()}]` },
      ],
      to_json: ["to_json(a)", { a: grid }],
      "json path": ["json_path_query(a, '$..*')", { a: grid }],
      "json path filter": ["json_path_query(a, '$[? @ == 5]')", { a: numbers.slice(0, 20_000) }],
      sequence: ["sequence(1, 60000)", {}],
      repeat: ["repeat(x, 60000)", { x: 1n }],
      array_sort: ["array_sort(a)", { a: numbers }],
      "array_sort of texts": ["array_sort(a)", { a: texts(2000, (at) => `${"x".repeat(500)}${at}`) }],
      array_distinct: ["array_distinct(a)", { a: grid }],
      array_intersect: ["array_intersect(a, a)", { a: numbers }],
      array_except: ["array_except(a, a)", { a: grid }],
      array_contains: ["array_contains(a, x)", { a: numbers, x: -1n }],
      array_position: ["array_position(a, x)", { a: grid, x: "none" }],
      array_max: ["array_max(a)", { a: numbers }],
      array_join: ["array_join(a, ',')", { a: texts(9000, (at) => `${at}`) }],
      array_flatten: ["array_flatten(a)", { a: grid }],
      array_concat: ["array_concat(a, a)", { a: numbers.slice(0, 30_000) }],
      array_union: ["array_union(a, a)", { a: numbers }],
      array_remove: ["array_remove(a, x)", { a: numbers, x: 1n }],
      array_shuffle: ["array_shuffle(a)", { a: numbers }],
      array_map: ["array_map('sha256', a)", { a: texts(1000, () => "x".repeat(60)) }],
      "a slice": ["a[1:19999]", { a: numbers }],
      IN: ["x IN a", { x: -1n, a: numbers }],
      "deep equals": ["array_contains(a, b)", { a: [grid, grid, grid], b: [...grid.slice(1), []] }],
      keys: ["keys(s)", { s: wide }],
      values: ["values(s)", { s: wide }],
      items: ["items(s)", { s: wide }],
      object_concat: ["object_concat(s, s)", { s: wide }],
      object_pick: ["object_pick(s, a)", { s: wide, a: texts(1000, (at) => `field-${at}`) }],
      object_size: ["object_size(s)", { s: wide }],
      erase: ["erase(s, 'x')", { s: wide }],
      zip: ["zip(items(s))", { s: wide }],
      "format_time that is made anew": [
        "format_time(n, concat(u, r))",
        { n: 0n, u: "yyyy-MM-dd HH:mm:ss".repeat(10), r: "" },
      ],
      convert_tz: ["convert_tz(n, z)", { n: 0n, z: "Europe/Berlin" }],
      cast: ["cast(t, 'bigint')", { t: "9" }],
      "format in the way of a place": ["format(x, 2, z)", { x: 1.5, z: "de_DE" }],
    } satisfies Record<string, readonly [string, Columns]>).flatMap(([name, [call, row]]): [string, Hostile][] => [
      [name, { sql: `SELECT ${many(call)} FROM a ${window}`, ...filled(150, () => row as Columns) }],
    ]),
  ),
};

/** Plays a case within so much work for its last input. */
function play({ sql, mode = "strict", before, row }: Hostile, units: number) {
  const plan = planQuery({
    ...{ sql, mode, ruleId: "rule", timeZone: "UTC", host: testHost, offsetAt: () => 0, startedAt: 0 },
    catalog: (name) => ({ name, columns: null }),
  });
  let results = 0;
  let errors = 0;
  const runner = new QueryRunner(plan, {
    rows(rows) {
      results += rows.length;
    },
    error() {
      errors++;
    },
  });
  const push = (of: Columns, at: number) => {
    for (const { source, columns } of plan.sources) {
      const values = columns.map((one) => (one.t === "column" ? (of[one.name] ?? null) : one.t === "all" ? of : null));
      runner.push({ at, source, values }, at);
    }
  };
  for (let at = 0; at < (before?.count ?? 0); at++) push(before!.row(at), 1);
  [results, errors] = [0, 0];
  let isOver = false;
  const began = process.threadCpuUsage();
  try {
    effort.within({ units, perRow: plan.rowUnits }, () => {
      if (row === undefined) runner.tick(60_000_000, 60_000_000);
      else push(row, 2);
    });
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    isOver = true;
  }
  const { user, system } = process.threadCpuUsage(began);
  return { outcome: { results, errors, isOver }, ms: (user + system) / 1000 };
}

for (const [name, one] of Object.entries(hostile)) {
  test(`what one input makes a rule do ends within its bound, at the same step each time: ${name}`, () => {
    const { outcome, ms } = play(one, limits.ruleInputWork);
    assert.ok(outcome.isOver || ms < 100, `nothing ended it, and it took ${ms} ms`);
    // On a machine that is busy with something else, too.
    assert.ok(ms < 1000, `it took ${ms} ms`);
    // What is cached by now makes it faster, and must not let it go further.
    assert.deepEqual(play(one, limits.ruleInputWork).outcome, outcome);
  });
}
