import type { QueryCase } from "./query-case.ts";

const typed = "CREATE STREAM demo (a BIGINT, b BIGINT, t STRING) WITH ()";
const one = (name: string, sql: string, row: object, out: object, more: Partial<QueryCase> = {}): QueryCase => ({
  ...{ name, sql, in: [[1, row]], out: [[out]], ...more },
});
const refused = (name: string, sql: string, message: RegExp, mode?: QueryCase["mode"]): QueryCase => ({
  ...{ name, sql, refused: message, in: [], out: [], ...(mode !== undefined && { mode }) },
});
const abc = { a: 1, b: 2, c: 3 };
const list = (...values: readonly number[]) => values.map((a, at) => [at + 1, { a, k: a % 2 }] as const);

/** Forms of the query: what is selected and by which name, chosen, sorted and cut. */
export const statements: readonly QueryCase[] = [
  one("* is every column", "SELECT * FROM demo", abc, abc),
  one("* of a stream with columns is those", "SELECT * FROM demo", abc, { a: 1, b: 2 }, { streams: [typed] }),
  one("a stream's own *", "SELECT demo.* FROM demo", abc, abc),
  one("* of an alias", "SELECT d.*, d.a + 1 AS n FROM demo AS d", abc, { ...abc, n: 2 }),
  one("* and more: what is named later wins", "SELECT *, a + 1 AS a FROM demo", abc, { a: 2, b: 2, c: 3 }),
  one("EXCEPT leaves out", "SELECT * EXCEPT(a, c) FROM demo", abc, { b: 2 }),
  one("EXCEPT of what is not there", "SELECT * EXCEPT(z) FROM demo", abc, abc),
  one("REPLACE changes", "SELECT * REPLACE(a * 10 AS a) FROM demo", abc, { a: 10, b: 2, c: 3 }),
  one("REPLACE of what is not there adds it", "SELECT * REPLACE(a * 10 AS z) FROM demo", abc, { ...abc, z: 10 }),
  one("REPLACE wins over EXCEPT", "SELECT * EXCEPT(a, b) REPLACE(5 AS b) FROM demo", abc, { b: 5, c: 3 }),
  one("a column twice is once", "SELECT a, a FROM demo", abc, { a: 1 }),
  one("one alias for two: the later wins", "SELECT a AS x, b AS x FROM demo", abc, { x: 2 }),
  one("an alias in back-ticks", "SELECT a AS `first value` FROM demo", abc, { "first value": 1 }),
  one("a column in back-ticks", "SELECT `odd name` AS x FROM demo", { "odd name": 1 }, { x: 1 }),
  one("a word of SQL as a column", "SELECT `select` AS x FROM demo", { select: 1 }, { x: 1 }),
  one("names keep their capitals", "SELECT A, a FROM demo", { A: 1, a: 2 }, { A: 1, a: 2 }),
  one("words of SQL do not", "select a from demo where a > 0 limit 1", abc, { a: 1 }),
  one("functions do not", "SELECT ABS(a) AS x, Abs(a) AS y FROM demo", { a: -1 }, { x: 1, y: 1 }),
  one("a semicolon ends it", "SELECT a FROM demo;", abc, { a: 1 }),
  one("comments", "SELECT a -- the first\n/* and only */ FROM demo", abc, { a: 1 }),
  one("a stream by its name", "SELECT demo.a AS x FROM demo", abc, { x: 1 }),
  one("a stream by its alias", "SELECT d.a AS x FROM demo AS d", abc, { x: 1 }),
  one("a column of a stream that is a field's name too", "SELECT demo.a.b AS x FROM demo", { a: { b: 1 } }, { x: 1 }),
  one("a source that is a topic", "SELECT a FROM plant/+/press", abc, { a: 1 }),
  one("a literal", "SELECT 1 AS x, 'a' AS y, TRUE AS z, 2.5 AS u FROM demo", {}, { x: 1, y: "a", z: true, u: 2.5 }),
  one("an alias of an alias", "SELECT a + 1 AS x, x + 1 AS y, y * 2 AS z FROM demo", abc, { x: 2, y: 3, z: 6 }),
  one("an alias before it is defined", "SELECT y + 1 AS x, a AS y FROM demo", abc, { x: 2, y: 1 }),
  one(
    "an alias that is a column means it in itself, and itself in others",
    "SELECT a + 1 AS a, a AS b FROM demo",
    abc,
    {
      a: 2,
      b: 2,
    },
  ),
  one("INVISIBLE is computed and not put out", "SELECT a + 1 AS x INVISIBLE, x * 2 AS y FROM demo", abc, { y: 4 }),
  one("an alias in WHERE", "SELECT a * 2 AS x FROM demo WHERE x > 1", abc, { x: 2 }),
  one("an invisible alias in WHERE", "SELECT a * 2 AS x INVISIBLE, b FROM demo WHERE x = 2", abc, { b: 2 }),
  one(
    "unnamed expressions are numbered",
    "SELECT a + 1, b + 1, 'x' FROM demo",
    abc,
    {
      ...{ kuiper_field_0: 2, kuiper_field_1: 3, kuiper_field_2: "x" },
    },
    { mode: "compat" },
  ),
  one(
    "calls and columns do not count",
    "SELECT a, abs(a), a + 1, b, upper('x'), b + 1 FROM demo",
    abc,
    {
      ...{ a: 1, abs: 1, kuiper_field_0: 2, b: 2, upper: "X", kuiper_field_1: 3 },
    },
    { mode: "compat" },
  ),
  one(
    "two calls of a function have one name: the later wins",
    "SELECT abs(a), abs(0 - b) FROM demo",
    abc,
    { abs: 2 },
    {
      mode: "compat",
    },
  ),
  one("a field of a struct has its own name", "SELECT o->x, o.y FROM demo", { o: { x: 1, y: 2 } }, { x: 1, y: 2 }),
  refused(
    "strict: an element of an array has no name",
    "SELECT l[0] FROM demo",
    /the expression has no name/,
    "strict",
  ),
  one(
    "an element of an array has none",
    "SELECT l[0] FROM demo",
    { l: [4] },
    { kuiper_field_0: 4 },
    { mode: "compat" },
  ),
  {
    name: "WHERE, ORDER BY and LIMIT in a window",
    sql: "SELECT a FROM demo WHERE a != 3 GROUP BY COUNTWINDOW(4) ORDER BY a DESC LIMIT 2",
    in: list(1, 5, 3, 4, 2),
    out: [[{ a: 5 }, { a: 4 }]],
  },
  {
    name: "ORDER BY two columns",
    sql: "SELECT a, k FROM demo GROUP BY COUNTWINDOW(4) ORDER BY k DESC, a ASC",
    in: list(4, 3, 2, 1),
    out: [
      [
        { a: 1, k: 1 },
        { a: 3, k: 1 },
        { a: 2, k: 0 },
        { a: 4, k: 0 },
      ],
    ],
  },
  {
    name: "ORDER BY what is not selected, an alias, and a call",
    sql: "SELECT 0 - a AS minus FROM demo GROUP BY COUNTWINDOW(3) ORDER BY abs(a - 3), minus",
    in: list(1, 4, 2),
    out: [[{ minus: -4 }, { minus: -2 }, { minus: -1 }]],
  },
  {
    name: "ORDER BY texts goes by letters",
    sql: "SELECT t FROM demo GROUP BY COUNTWINDOW(3) ORDER BY t",
    in: [
      [1, { t: "b" }],
      [2, { t: "a" }],
      [3, { t: "B" }],
    ],
    out: [[{ t: "B" }, { t: "a" }, { t: "b" }]],
  },
  {
    name: "GROUP BY an expression",
    sql: "SELECT k, count(*) AS n FROM demo GROUP BY k * 2, COUNTWINDOW(3)",
    in: list(1, 2, 3),
    out: [
      [
        { k: 1, n: 2 },
        { k: 0, n: 1 },
      ],
    ],
  },
  {
    name: "GROUP BY an alias",
    sql: "SELECT a % 2 AS odd, sum(a) AS s FROM demo GROUP BY odd, COUNTWINDOW(4)",
    in: list(1, 2, 3, 4),
    out: [
      [
        { odd: 1, s: 4 },
        { odd: 0, s: 6 },
      ],
    ],
  },
  {
    name: "GROUP BY null is a group of its own",
    sql: "SELECT g, count(*) AS n FROM demo GROUP BY g, COUNTWINDOW(3)",
    in: [
      [1, { g: null }],
      [2, { g: "null" }],
      [3, {}],
    ],
    out: [
      [
        { g: null, n: 2 },
        { g: "null", n: 1 },
      ],
    ],
  },
  {
    name: "GROUP BY tells 1 from '1', and two keys from another two",
    sql: "SELECT x, y, count(*) AS n FROM demo GROUP BY x, y, COUNTWINDOW(3)",
    in: [
      [1, { x: "a", y: "bc" }],
      [2, { x: "ab", y: "c" }],
      [3, { x: "a", y: "bc" }],
    ],
    out: [
      [
        { x: "a", y: "bc", n: 2 },
        { x: "ab", y: "c", n: 1 },
      ],
    ],
  },
  {
    name: "HAVING without GROUP BY is of the whole window",
    sql: "SELECT sum(a) AS s FROM demo GROUP BY COUNTWINDOW(2) HAVING sum(a) > 5",
    in: list(1, 2, 3, 4),
    out: [[{ s: 7 }]],
  },
  {
    name: "HAVING with an alias",
    sql: "SELECT sum(a) AS s FROM demo GROUP BY COUNTWINDOW(2) HAVING s > 5",
    in: list(1, 2, 3, 4),
    out: [[{ s: 7 }]],
  },
  {
    name: "HAVING of what is neither true nor false is an error of its group",
    sql: "SELECT k, sum(a) AS s FROM demo GROUP BY k, COUNTWINDOW(2) HAVING sum(a)",
    in: list(1, 2),
    out: [/with HAVING: it must be true or false/, /with HAVING: it must be true or false/],
  },
  {
    name: "a column beside an aggregate is the first row's of the group",
    sql: "SELECT a, count(*) AS n FROM demo GROUP BY COUNTWINDOW(3)",
    in: list(7, 8, 9),
    out: [[{ a: 7, n: 3 }]],
  },
  {
    name: "aggregates in expressions",
    sql: "SELECT max(a) - min(a) AS span, sum(a) * 2 + count(*) AS x FROM demo GROUP BY COUNTWINDOW(3)",
    in: list(7, 3, 5),
    out: [[{ span: 4, x: 33 }]],
  },
  {
    name: "an aggregate of an expression, with FILTER",
    sql: "SELECT sum(a * 10) FILTER (WHERE a > 3) AS s FROM demo GROUP BY COUNTWINDOW(3)",
    in: list(7, 3, 5),
    out: [[{ s: 120 }]],
  },
  {
    name: "an aggregate without a window is of each row by itself",
    mode: "compat",
    sql: "SELECT count(*) AS n, sum(a) AS s FROM demo",
    in: list(7, 3),
    out: [[{ n: 1, s: 7 }], [{ n: 1, s: 3 }]],
  },
  {
    name: "an analytic function in WHERE",
    sql: "SELECT a FROM demo WHERE had_changed(true, a)",
    in: list(1, 1, 2, 2, 1),
    out: [[{ a: 1 }], [{ a: 2 }], [{ a: 1 }]],
  },
  {
    name: "an analytic function in an expression, by partition",
    sql: "SELECT a - lag(a, 1, 0) OVER (PARTITION BY k) AS step FROM demo",
    in: list(1, 2, 5, 8),
    out: [[{ step: 1 }], [{ step: 2 }], [{ step: 4 }], [{ step: 6 }]],
  },
  {
    name: "an analytic function beside a window looks at every row",
    sql: "SELECT a, lag(a) AS before FROM demo GROUP BY COUNTWINDOW(2)",
    in: list(1, 2, 3, 4),
    out: [
      [
        { a: 1, before: null },
        { a: 2, before: 1 },
      ],
      [
        { a: 3, before: 2 },
        { a: 4, before: 3 },
      ],
    ],
  },
  {
    name: "unnest makes rows of a result",
    sql: "SELECT unnest(l) AS x, a FROM demo",
    in: [[1, { a: 1, l: [5, 6] }]],
    out: [
      [
        { x: 5, a: 1 },
        { x: 6, a: 1 },
      ],
    ],
  },
  {
    name: "unnest in a window, and LIMIT of what comes out",
    sql: "SELECT unnest(l) AS x FROM demo GROUP BY COUNTWINDOW(2) LIMIT 3",
    in: [
      [1, { l: [5, 6] }],
      [2, { l: [7, 8] }],
    ],
    out: [[{ x: 5 }, { x: 6 }, { x: 7 }]],
  },
  {
    name: "unnest of what a group has collected",
    sql: "SELECT unnest(collect(a)) AS x, count(*) AS n FROM demo GROUP BY COUNTWINDOW(2)",
    in: list(5, 6),
    out: [
      [
        { x: 5, n: 2 },
        { x: 6, n: 2 },
      ],
    ],
  },
  {
    name: "unnest of nothing gives nothing, and a row that fails leaves the others",
    sql: "SELECT unnest(l) AS x FROM demo GROUP BY COUNTWINDOW(3)",
    in: [
      [1, { l: [] }],
      [2, { l: 7 }],
      [3, { l: [8] }],
    ],
    out: [/Cannot call unnest: array must be array, and is float 7/, [{ x: 8 }]],
  },
  {
    name: "extract makes columns of a struct",
    sql: "SELECT extract(o), a FROM demo",
    in: [[1, { a: 1, o: { a: 9, z: 2 } }]],
    out: [[{ a: 9, z: 2 }]],
  },
  refused(
    "two functions that make rows",
    "SELECT unnest(a), extract(b) FROM demo",
    /near "extract\(b\)": a query has one/,
  ),
  refused("unnest in WHERE", "SELECT a FROM demo WHERE unnest(l) = 1", /unnest makes rows, and no value/),
  refused("unnest inside a call", "SELECT abs(unnest(l)) AS x FROM demo", /unnest makes rows, and no value/),
  refused("unnest that is hidden", "SELECT unnest(l) AS x INVISIBLE, a FROM demo", /none of them would be seen/),
  refused("unnest of two", "SELECT unnest(a, b) FROM demo", /write unnest\(array\)/),
  one("meta of everything", "SELECT meta(*) AS m FROM demo", {}, { m: { topic: "t" } }, { meta: { topic: "t" } }),
  one(
    "window functions outside of a window",
    "SELECT window_start() AS s, window_end() AS e, window_trigger() AS t FROM demo",
    {},
    {
      ...{ s: null, e: null, t: null },
    },
  ),
  {
    name: "what a window tells of itself",
    sql: "SELECT window_start() AS s, window_end() AS e, window_trigger() AS t, event_time() AS at FROM demo GROUP BY SLIDINGWINDOW(ms, 100, 50)",
    in: [[1000, {}]],
    until: 2000,
    out: [[{ s: 900, e: 1050, t: 1050, at: 1050 }]],
  },
  one(
    "state that others keep",
    "SELECT get_keyed_state('limit', 'bigint', 0) AS x, props('site') AS y FROM demo",
    {},
    {
      x: 42,
      y: "north",
    },
  ),
];
