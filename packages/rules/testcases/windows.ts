import type { QueryCase } from "./query-case.ts";

const rows = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([at, a]) => [at, { a, k: a % 2 }] as const);

export const windows: readonly QueryCase[] = [
  {
    name: "tumbling: counted by key, each window by itself",
    sql: "SELECT k, count(*) AS n, sum(a) AS total FROM demo GROUP BY k, TUMBLINGWINDOW(ss, 1)",
    in: rows([100, 1], [200, 2], [300, 3], [1000, 5], [1100, 6]),
    until: 3000,
    out: [
      [
        { k: 1, n: 2, total: 4 },
        { k: 0, n: 1, total: 2 },
      ],
      [
        { k: 1, n: 1, total: 5 },
        { k: 0, n: 1, total: 6 },
      ],
    ],
  },
  {
    name: "tumbling without an aggregate gives all rows at once",
    sql: "SELECT a FROM demo WHERE a != 2 GROUP BY TUMBLINGWINDOW(ss, 1)",
    in: rows([100, 1], [200, 2], [300, 3]),
    until: 1000,
    out: [[{ a: 1 }, { a: 3 }]],
  },
  {
    name: "a window without rows says nothing",
    sql: "SELECT count(*) AS n FROM demo GROUP BY TUMBLINGWINDOW(ss, 1)",
    in: rows([100, 1], [5200, 2]),
    until: 9000,
    out: [[{ n: 1 }], [{ n: 1 }]],
  },
  {
    name: "hopping: a row is in each window that has its time",
    sql: "SELECT sum(a) AS total FROM demo GROUP BY HOPPINGWINDOW(ss, 2, 1)",
    in: rows([100, 1], [1100, 2], [2100, 4]),
    until: 5000,
    out: [[{ total: 1 }], [{ total: 3 }], [{ total: 6 }], [{ total: 4 }]],
  },
  {
    name: "sliding: a result for each row, of what came in so long before it",
    sql: "SELECT count(*) AS n FROM demo GROUP BY SLIDINGWINDOW(ms, 100)",
    in: rows([100, 1], [150, 2], [200, 3], [301, 4]),
    out: [[{ n: 1 }], [{ n: 2 }], [{ n: 3 }], [{ n: 1 }]],
  },
  {
    name: "sliding OVER (WHEN …): only these rows give a result",
    sql: "SELECT count(*) AS n FROM demo GROUP BY SLIDINGWINDOW(ms, 100) OVER (WHEN a = 3)",
    in: rows([100, 1], [150, 2], [200, 3], [301, 4]),
    out: [[{ n: 3 }]],
  },
  {
    name: "FILTER chooses before the window, so a count window of 2 has 2",
    sql: "SELECT collect(a) AS l FROM demo GROUP BY COUNTWINDOW(2) FILTER (WHERE a > 1)",
    in: rows([1, 1], [2, 2], [3, 1], [4, 4], [5, 5], [6, 6]),
    out: [[{ l: [2, 4] }], [{ l: [5, 6] }]],
  },
  {
    name: "count with a step",
    sql: "SELECT collect(a) AS l FROM demo GROUP BY COUNTWINDOW(3, 1)",
    in: rows([1, 1], [2, 2], [3, 3], [4, 4]),
    out: [[{ l: [1, 2, 3] }], [{ l: [2, 3, 4] }]],
  },
  {
    name: "session: ends when nothing came for the gap",
    sql: "SELECT collect(a) AS l FROM demo GROUP BY SESSIONWINDOW(ss, 10, 1)",
    in: rows([100, 1], [600, 2], [2000, 3]),
    until: 9000,
    out: [[{ l: [1, 2] }], [{ l: [3] }]],
  },
  {
    name: "state: from one condition to the other",
    sql: "SELECT collect(a) AS l FROM demo GROUP BY STATEWINDOW(a = 2, a = 4)",
    in: rows([1, 1], [2, 2], [3, 3], [4, 4], [5, 5]),
    out: [[{ l: [2, 3, 4] }]],
  },
  {
    name: "HAVING chooses groups, ORDER BY sorts them, LIMIT takes the first",
    sql: "SELECT a, count(*) AS n FROM demo GROUP BY a, TUMBLINGWINDOW(ss, 1) HAVING count(*) > 1 ORDER BY a DESC LIMIT 2",
    in: rows([1, 1], [2, 2], [3, 3], [4, 1], [5, 2], [6, 3], [7, 4]),
    until: 1000,
    out: [
      [
        { a: 3, n: 2 },
        { a: 2, n: 2 },
      ],
    ],
  },
  {
    name: "nulls stand last, whatever the direction",
    mode: "compat",
    sql: "SELECT a FROM demo GROUP BY TUMBLINGWINDOW(ss, 1) ORDER BY a DESC",
    in: [
      [1, { a: null }],
      [2, { a: 1 }],
      [3, { a: 2 }],
    ],
    until: 1000,
    out: [[{ a: 2 }, { a: 1 }, { a: null }]],
  },
  {
    name: "null is the greatest",
    mode: "strict",
    sql: "SELECT a FROM demo GROUP BY TUMBLINGWINDOW(ss, 1) ORDER BY a DESC",
    in: [
      [1, { a: null }],
      [2, { a: 1 }],
    ],
    until: 1000,
    out: [[{ a: null }, { a: 1 }]],
  },
  {
    name: "an aggregate of a condition",
    sql: "SELECT count(*) FILTER (WHERE a > 1) AS many, avg(b) AS mean FROM demo GROUP BY TUMBLINGWINDOW(ss, 1)",
    in: [
      [1, { a: 1, b: 1 }],
      [2, { a: 2, b: 2 }],
    ],
    until: 1000,
    out: [[{ many: 1, mean: 1.5 }]],
  },
  {
    name: "a group whose sum cannot be made is an error, the others go on",
    sql: "SELECT k, sum(a) AS total FROM demo GROUP BY k, TUMBLINGWINDOW(ss, 1)",
    in: [
      [1, { k: 1, a: "x" }],
      [2, { k: 2, a: 2 }],
    ],
    until: 1000,
    out: [/x must be number, and is string "x"/, [{ k: 2, total: 2 }]],
  },
  {
    name: "an aggregate has no place in WHERE",
    sql: "SELECT a FROM demo WHERE count(*) > 1 GROUP BY COUNTWINDOW(2)",
    in: [],
    out: [],
    refused:
      /near "count\(\*\)": count adds up rows of a window, which are not there yet; write it in SELECT or HAVING/,
  },
  {
    name: "a window tells where it begins and ends",
    mode: "strict",
    sql: "SELECT window_start() AS s, window_end() AS e, event_time() AS t, count(*) AS n FROM demo GROUP BY TUMBLINGWINDOW(ss, 1)",
    in: rows([1100, 1]),
    until: 3000,
    out: [[{ s: 1000, e: 2000, t: 2000, n: 1 }]],
  },
  {
    name: "a window of no length",
    sql: "SELECT a FROM demo GROUP BY TUMBLINGWINDOW(ss, 0)",
    in: [],
    out: [],
    refused: /near "0": a number of the tumbling window must be a whole number from 1, and is 0/,
  },
];
