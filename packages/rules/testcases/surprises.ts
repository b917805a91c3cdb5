import type { QueryCase } from "./query-case.ts";

const typed = "CREATE STREAM demo (a BIGINT, b FLOAT, t STRING, l ARRAY(BIGINT)) WITH (DATASOURCE='demo')";
const one = (name: string, sql: string, row: object, out: QueryCase["out"][number], more: Partial<QueryCase> = {}) =>
  ({ name, mode: "compat", sql, in: [[1, row]], out: [out], ...more }) satisfies QueryCase as QueryCase;
const refused = (name: string, sql: string, message: RegExp): QueryCase => ({
  ...{ name, sql, refused: message, mode: "compat", in: [], out: [] },
});
const rows = (...values: readonly (number | null)[]) => values.map((a, at) => [at + 1, { a }] as const);

/** What surprises people who know SQL: compat mode does as eKuiper does, and strict mode what stands beside it. */
export const surprises: readonly QueryCase[] = [
  refused("1.6.1 <> is no operator", "SELECT a FROM demo WHERE a <> 1", /line 1, column 28.*write !=/),
  one("1.6.1 a lone ! is equality", "SELECT a ! 1 AS x, a ! 2 AS y FROM demo", { a: 1 }, [{ x: true, y: false }]),
  one("1.6.1 strict: <> is !=", "SELECT a <> 1 AS x, a != 1 AS y FROM demo", { a: 2 }, [{ x: true, y: true }], {
    mode: "strict",
  }),
  refused(
    "1.6.2 CROSS OUTER JOIN is not read",
    "SELECT a FROM l CROSS OUTER JOIN r GROUP BY COUNTWINDOW(2)",
    /JOIN is missing after CROSS/,
  ),
  refused(
    "1.6.2 JOIN alone is not read",
    "SELECT a FROM l JOIN r ON l.a = r.a GROUP BY COUNTWINDOW(2)",
    /write INNER JOIN/,
  ),
  refused(
    "1.6.2 CROSS JOIN with ON is refused",
    "SELECT a FROM l CROSS JOIN r ON l.a = r.a GROUP BY COUNTWINDOW(2)",
    /CROSS JOIN has no ON/,
  ),
  {
    name: "1.6.2 strict: JOIN alone is INNER JOIN",
    mode: "strict",
    sql: "SELECT x, y FROM l JOIN r ON l.k = r.k GROUP BY COUNTWINDOW(2)",
    streams: ["CREATE STREAM l (k BIGINT, x BIGINT) WITH ()", "CREATE STREAM r (k BIGINT, y BIGINT) WITH ()"],
    in: [
      [1, { k: 1, x: 7 }, "l"],
      [2, { k: 1, y: 8 }, "r"],
    ],
    out: [[{ x: 7, y: 8 }]],
  },
  one(
    "1.6.3 a null makes any comparison false",
    "SELECT n = 1 AS e, n != 1 AS u, n < 1 AS k, 1 >= n AS g FROM demo",
    {},
    [{ e: false, u: false, k: false, g: false }],
  ),
  one(
    "1.6.3 AND and OR with a null are false",
    "SELECT n OR TRUE AS x, n AND TRUE AS y, TRUE AND n AS z FROM demo",
    {},
    [{ x: false, y: false, z: false }],
  ),
  one("1.6.3 arithmetic with null is null", "SELECT n + 1 AS x, 2 * n AS y, n / 0 AS z FROM demo", {}, [
    { x: null, y: null, z: null },
  ]),
  one("1.6.3 NOT IN null is true, null NOT IN is false", "SELECT 1 NOT IN n AS x, n NOT IN (1) AS y FROM demo", {}, [
    { x: true, y: false },
  ]),
  one(
    "1.6.3 NOT BETWEEN with a null is false",
    "SELECT n NOT BETWEEN 1 AND 2 AS x, 5 NOT BETWEEN 1 AND n AS y FROM demo",
    {},
    [{ x: false, y: false }],
  ),
  one("1.6.3 LIKE of null is an error", "SELECT n LIKE 'a%' AS x FROM demo", {}, /with LIKE: it must be a text/),
  one(
    "1.6.3 strict: null is unknown",
    "SELECT n != 1 AS x, n OR TRUE AS y, 1 NOT IN (2, n) AS z, n NOT BETWEEN 1 AND 2 AS u, n LIKE 'a' AS v FROM demo",
    {},
    [{ x: null, y: true, z: null, u: null, v: null }],
    { mode: "strict" },
  ),
  {
    name: "1.6.4 WHERE keeps nothing but true, and what is no truth is an error",
    sql: "SELECT a FROM demo WHERE w",
    in: [
      [1, { a: 1, w: true }],
      [2, { a: 2, w: false }],
      [3, { a: 3, w: null }],
      [4, { a: 4, w: "true" }],
      [5, { a: 5, w: 1 }],
    ],
    out: [[{ a: 1 }], /string "true" with WHERE/, /float 1 with WHERE/],
  },
  one("1.6.5 without a schema a number is a float", "SELECT a / 2 AS x, a % 2 AS y FROM demo", { a: 7.5 }, [
    { x: 3.75, y: 1.5 },
  ]),
  one(
    "1.6.5 with a schema a bigint divides as integers do",
    "SELECT a / 2 AS x, a % 4 AS y, 0 - 7 / 2 AS z FROM demo",
    { a: 7 },
    [{ x: 3, y: 3, z: -3 }],
    { streams: [typed] },
  ),
  one("1.6.5 division by zero is an error", "SELECT a / 0 AS x FROM demo", { a: 7 }, /7 \/ 0: division by zero/),
  one("1.6.5 a remainder by zero is one too", "SELECT a % 0 AS x FROM demo", { a: 7 }, /7 % 0: division by zero/, {
    streams: [typed],
  }),
  one(
    "1.6.5 a sum that does not fit begins again from below",
    "SELECT a + 9223372036854775807 < 0 AS x FROM demo",
    { a: 1 },
    [{ x: true }],
    { streams: [typed] },
  ),
  one(
    "1.6.5 strict: a sum that does not fit is an error",
    "SELECT a + 9223372036854775807 AS x FROM demo",
    { a: 1 },
    /does not fit 64 bits/,
    { streams: [typed], mode: "strict" },
  ),
  one("1.6.6 + joins no texts", "SELECT t + t AS x FROM demo", { t: "a" }, /concat\(a, b\) joins texts/),
  one(
    "1.6.6 nor a text and a number",
    "SELECT t + 1 AS x FROM demo",
    { t: "a" },
    /string "a" \+ bigint 1: both must be numbers/,
  ),
  one("1.6.7 columns that are null are left out", "SELECT a, n, t FROM demo", { a: 1, t: null }, [{ a: 1 }], {
    omitNull: true,
  }),
  one("1.6.7 a row of nulls is an empty one, and is a result", "SELECT n, m FROM demo", { a: 1 }, [{}], {
    omitNull: true,
  }),
  one("1.6.7 with sendNilField they are null", "SELECT a, n FROM demo", { a: 1 }, [{ a: 1, n: null }]),
  one("1.6.8 equal bounds are an index", "SELECT l[1:1] AS x, l[i:j] AS y FROM demo", { l: [5, 6, 7], i: 2, j: 2 }, [
    { x: 6, y: 7 },
  ]),
  one(
    "1.6.8 an index outside is an error that ends the row",
    "SELECT l[3] AS x FROM demo",
    { l: [5, 6, 7] },
    /\[3\]: outside of it/,
  ),
  one("1.6.8 so is a slice outside", "SELECT l[1:9] AS x FROM demo", { l: [5, 6, 7] }, /\[1:9\]: outside of it/),
  one("1.6.8 below 0 counts from the end", "SELECT l[-1] AS x, l[-2:] AS y, l[:-1] AS z FROM demo", { l: [5, 6, 7] }, [
    { x: 7, y: [6, 7], z: [5, 6] },
  ]),
  one("1.6.8 strict: equal bounds are nothing", "SELECT l[1:1] AS x FROM demo", { l: [5, 6, 7] }, [{ x: [] }], {
    mode: "strict",
  }),
  {
    name: "1.6.9 a row whose WHERE fails is told, and no window counts it",
    mode: "compat",
    sql: "SELECT count(*) AS n FROM demo WHERE a > 1 GROUP BY COUNTWINDOW(2)",
    in: [
      [1, { a: 2 }],
      [2, { a: "x" }],
      [3, { a: 3 }],
    ],
    out: [/Cannot compare string "x" with bigint 1/, [{ n: 2 }]],
  },
  {
    name: "1.6.9 one row of a window that fails does not take the others with it",
    mode: "compat",
    sql: "SELECT a * 2 AS x FROM demo GROUP BY COUNTWINDOW(3)",
    in: [
      [1, { a: 2 }],
      [2, { a: "x" }],
      [3, { a: 3 }],
    ],
    out: [/Cannot calculate string "x" \* bigint 2/, [{ x: 4 }, { x: 6 }]],
  },
  {
    name: "1.6.10 analytic functions see what WHERE leaves out",
    sql: "SELECT a, lag(a) AS before FROM demo WHERE a > 2",
    in: rows(3, 1, 4),
    out: [[{ a: 3, before: null }], [{ a: 4, before: 1 }]],
  },
  {
    name: "1.6.10 lag passes over nulls unless told not to",
    sql: "SELECT lag(a) AS x, lag(a, 1, 0, false) AS y FROM demo",
    in: rows(1, null, 3),
    out: [[{ x: null, y: 0 }], [{ x: 1, y: 1 }], [{ x: 1, y: null }]],
  },
  {
    name: "1.6.10 keys of PARTITION BY are one text: two pairs fall together",
    mode: "compat",
    sql: "SELECT acc_count(a) OVER (PARTITION BY x, y) AS n FROM demo",
    in: [
      [1, { a: 1, x: "a", y: "bc" }],
      [2, { a: 1, x: "ab", y: "c" }],
      [3, { a: 1, x: "b", y: "c" }],
    ],
    out: [[{ n: 1 }], [{ n: 2 }], [{ n: 1 }]],
  },
  {
    name: "1.6.10 strict: keys of PARTITION BY stay apart",
    mode: "strict",
    sql: "SELECT acc_count(a) OVER (PARTITION BY x, y) AS n FROM demo",
    in: [
      [1, { a: 1, x: "a", y: "bc" }],
      [2, { a: 1, x: "ab", y: "c" }],
    ],
    out: [[{ n: 1 }], [{ n: 1 }]],
  },
  {
    name: "1.6.11 last_hit_count and last_hit_time move with rows that WHERE keeps",
    sql: "SELECT a, last_hit_count() AS n, last_hit_time() AS t FROM demo WHERE a > 1",
    in: rows(2, 1, 3, 1, 4),
    out: [[{ a: 2, n: 0, t: null }], [{ a: 3, n: 1, t: 1 }], [{ a: 4, n: 2, t: 3 }]],
  },
  {
    name: "1.6.11 last_agg_hit_count and last_agg_hit_time move with results that HAVING keeps",
    sql: "SELECT count(*) AS c, last_agg_hit_count() AS n, last_agg_hit_time() AS t FROM demo GROUP BY TUMBLINGWINDOW(ss, 1) HAVING count(*) > 1",
    in: [
      [100, {}],
      [200, {}],
      [1100, {}],
      [2100, {}],
      [2200, {}],
    ],
    until: 3000,
    out: [[{ c: 2, n: 0, t: null }], [{ c: 2, n: 1, t: 1100 }]],
  },
  {
    name: "1.6.12 had_changed is true for the first row",
    sql: "SELECT had_changed(true, a) AS c FROM demo",
    in: rows(1, 1, null, 2),
    out: [[{ c: true }], [{ c: false }], [{ c: false }], [{ c: true }]],
  },
  {
    name: "1.6.12 changed_cols compares with the row that was put out",
    sql: "SELECT changed_cols('', true, a) FROM demo WHERE k > 0",
    in: [
      [1, { a: 1, k: 1 }],
      [2, { a: 2, k: 0 }],
      [3, { a: 1, k: 1 }],
      [4, { a: 2, k: 1 }],
    ],
    out: [[{ a: 1 }], [{}], [{ a: 2 }]],
  },
  refused("1.6.14 names with $$ are the engine's and no names here", "SELECT $$default FROM demo", /line 1, column 8/),
  one(
    "1.6.15 avg and sum of integers are integers",
    "SELECT avg(a) AS m, sum(a) AS s FROM demo GROUP BY COUNTWINDOW(2)",
    {},
    [],
    {
      streams: [typed],
      in: rows(1, 2),
      out: [[{ m: 1, s: 3 }]],
    },
  ),
  one(
    "1.6.15 the first value says which arithmetic it is",
    "SELECT avg(a) AS m FROM demo GROUP BY COUNTWINDOW(2)",
    {},
    [],
    {
      in: rows(1, 2),
      out: [[{ m: 1.5 }]],
    },
  ),
  one("1.6.15 strict: a mean is a float", "SELECT avg(a) AS m FROM demo GROUP BY COUNTWINDOW(2)", {}, [], {
    ...{ mode: "strict", streams: [typed], in: rows(1, 2), out: [[{ m: 1.5 }]] },
  }),
  {
    name: "1.6.15 count(*) counts rows, count(a) what is not null; collect(*)[1]->a is the second row's",
    sql: "SELECT count(*) AS n, count(a) AS m, collect(*)[1]->a AS second FROM demo GROUP BY COUNTWINDOW(3)",
    in: rows(1, 5, null),
    out: [[{ n: 3, m: 2, second: 5 }]],
  },
  {
    name: "1.6.16 deduplicate(x, false) gives nothing when the last is there already",
    mode: "compat",
    sql: "SELECT deduplicate(a, false) AS d FROM demo GROUP BY COUNTWINDOW(2)",
    in: rows(1, 2, 3, 3),
    omitNull: true,
    out: [[{ d: 2 }], [{}]],
  },
  {
    name: "1.6.17 LIMIT is of each window",
    sql: "SELECT a FROM demo GROUP BY COUNTWINDOW(2) LIMIT 1",
    in: rows(1, 2, 3, 4),
    out: [[{ a: 1 }], [{ a: 3 }]],
  },
  {
    name: "1.6.17 without a window each row is a set of one",
    sql: "SELECT a FROM demo LIMIT 1",
    in: rows(1, 2),
    out: [[{ a: 1 }], [{ a: 2 }]],
  },
  { name: "1.6.17 LIMIT 0 gives nothing", sql: "SELECT a FROM demo LIMIT 0", in: rows(1, 2), out: [] },
  {
    name: "1.6.18 nulls stand last in both directions",
    mode: "compat",
    sql: "SELECT a FROM demo GROUP BY COUNTWINDOW(4) ORDER BY a",
    in: rows(2, null, 3, 1),
    out: [[{ a: 1 }, { a: 2 }, { a: 3 }, { a: null }]],
  },
  {
    name: "1.6.18 nulls stand last when it goes down too",
    mode: "compat",
    sql: "SELECT a FROM demo GROUP BY COUNTWINDOW(4) ORDER BY a DESC",
    in: rows(2, null, 3, 1),
    out: [[{ a: 3 }, { a: 2 }, { a: 1 }, { a: null }]],
  },
  refused(
    "1.6.18 what is ordered by begins with a name",
    "SELECT a FROM demo GROUP BY COUNTWINDOW(2) ORDER BY 1",
    /near "1": eKuiper orders by what begins with a name/,
  ),
  {
    name: "1.6.18 strict: null is the greatest, and equals keep their order",
    mode: "strict",
    sql: "SELECT a, k FROM demo GROUP BY COUNTWINDOW(4) ORDER BY k DESC",
    in: [
      [1, { a: 1, k: 1 }],
      [2, { a: 2, k: null }],
      [3, { a: 3, k: 1 }],
      [4, { a: 4, k: null }],
    ],
    out: [
      [
        { a: 2, k: null },
        { a: 4, k: null },
        { a: 1, k: 1 },
        { a: 3, k: 1 },
      ],
    ],
  },
  {
    name: "1.6.19 delay gives the value, and nothing waits",
    sql: "SELECT delay(3600000, a) AS x, tstamp() AS at FROM demo",
    in: rows(1, 2),
    out: [[{ x: 1, at: 1 }], [{ x: 2, at: 2 }]],
  },
  one("1.6.20 times are milliseconds", "SELECT event_time() AS e, tstamp() AS t, rule_start() AS r FROM demo", {}, [], {
    in: [[1700, {}]],
    out: [[{ e: 1700, t: 1700, r: 5 }]],
  }),
  one(
    "1.6.20 format_time has patterns as Java has them",
    "SELECT format_time(t, 'yyyy-MM-dd T HH:mm:ss') AS x FROM demo",
    { t: 0 },
    [{ x: "1970-01-01 T 00:00:00" }],
  ),
];
