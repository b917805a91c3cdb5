import type { QueryCase } from "./query-case.ts";

const rows = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([at, a]) => [at, { a, k: a % 2 }] as const);
const list = (window: string) => `SELECT collect(a) AS l FROM demo GROUP BY ${window}`;
const of = (name: string, window: string, more: Omit<QueryCase, "name" | "sql">): QueryCase => ({
  name,
  sql: list(window),
  ...more,
});

export const moreWindows: readonly QueryCase[] = [
  of("tumbling: the left edge is in, the right edge in the next", "TUMBLINGWINDOW(ss, 2)", {
    in: rows([0, 1], [1999, 2], [2000, 3], [4000, 4]),
    until: 6000,
    out: [[{ l: [1, 2] }], [{ l: [3] }], [{ l: [4] }]],
  }),
  of("tumbling: minutes end with the clock's", "TUMBLINGWINDOW(mi, 1)", {
    in: rows([59_000, 1], [61_000, 2]),
    until: 120_000,
    out: [[{ l: [1] }], [{ l: [2] }]],
  }),
  of("tumbling: a day", "TUMBLINGWINDOW(dd, 1)", {
    in: rows([3_600_000, 1], [86_399_999, 2], [86_400_000, 3]),
    until: 172_800_000,
    out: [[{ l: [1, 2] }], [{ l: [3] }]],
  }),
  of("hopping: the edges of each", "HOPPINGWINDOW(ss, 2, 1)", {
    in: rows([0, 1], [1000, 2], [2000, 3]),
    until: 5000,
    out: [[{ l: [1] }], [{ l: [1, 2] }], [{ l: [2, 3] }], [{ l: [3] }]],
  }),
  of("hopping by its own length tumbles", "HOPPINGWINDOW(ss, 1, 1)", {
    in: rows([100, 1], [1100, 2]),
    until: 3000,
    out: [[{ l: [1] }], [{ l: [2] }]],
  }),
  of("hopping: after a pause only what is young enough", "HOPPINGWINDOW(ss, 3, 1)", {
    in: rows([100, 1], [10_100, 2]),
    until: 14_000,
    out: [[{ l: [1] }], [{ l: [1] }], [{ l: [1] }], [{ l: [2] }], [{ l: [2] }], [{ l: [2] }]],
  }),
  of("sliding: what is just as old as the window is long is in it", "SLIDINGWINDOW(ss, 1)", {
    in: rows([0, 1], [1000, 2], [1001, 3]),
    out: [[{ l: [1] }], [{ l: [1, 2] }], [{ l: [2, 3] }]],
  }),
  of("sliding with a delay looks ahead", "SLIDINGWINDOW(ss, 1, 1) OVER (WHEN a = 2)", {
    in: rows([500, 1], [1000, 2], [1500, 3], [2000, 4]),
    until: 5000,
    out: [[{ l: [1, 2, 3] }]],
  }),
  of("sliding FILTER and OVER (WHEN …)", "SLIDINGWINDOW(ss, 5) FILTER (WHERE a != 2) OVER (WHEN a > 2)", {
    in: rows([100, 1], [200, 2], [300, 3]),
    out: [[{ l: [1, 3] }]],
  }),
  of("session: a gap that is just as long ends it", "SESSIONWINDOW(ss, 60, 1)", {
    in: rows([0, 1], [999, 2], [1999, 3]),
    until: 9000,
    out: [[{ l: [1, 2] }], [{ l: [3] }]],
  }),
  of("session: one row", "SESSIONWINDOW(ss, 60, 1)", { in: rows([5000, 1]), until: 6000, out: [[{ l: [1] }]] }),
  {
    ...of("session: lasts no longer than it may after its first row", "SESSIONWINDOW(ss, 2, 1)", {
      in: rows([500, 1], [1200, 2], [1900, 3], [2600, 4]),
      until: 9000,
      out: [[{ l: [1, 2, 3] }], [{ l: [4] }]],
    }),
    mode: "strict",
  },
  {
    ...of("session: how long it lasts is looked at when the clock says so", "SESSIONWINDOW(ss, 2, 1)", {
      in: rows([500, 1], [1200, 2], [1900, 3], [2600, 4], [3300, 5], [4100, 6]),
      until: 9000,
      out: [[{ l: [1, 2, 3, 4, 5] }], [{ l: [6] }]],
    }),
    mode: "compat",
  },
  of("count: the end of a stream that is no full window gives nothing", "COUNTWINDOW(3)", {
    in: rows([1, 1], [2, 2]),
    until: 99_000,
    out: [],
  }),
  of("count: a step that does not divide it", "COUNTWINDOW(3, 2)", {
    in: rows([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6]),
    out: [[{ l: [2, 3, 4] }], [{ l: [4, 5, 6] }]],
  }),
  of("state: one condition gives what was kept at each further match", "STATEWINDOW(a = 1)", {
    in: rows([1, 1], [2, 2], [3, 3], [4, 1], [5, 4], [6, 1]),
    out: [[{ l: [1, 2, 3] }], [{ l: [1, 4] }]],
  }),
  of("state: by partition", "STATEWINDOW(a > 4, a > 6) OVER (PARTITION BY k)", {
    in: rows([1, 5], [2, 6], [3, 7], [4, 8]),
    out: [[{ l: [5, 7] }], [{ l: [6, 8] }]],
  }),
  of("state: the row that begins may end it", "STATEWINDOW(a = 1, a < 2)", {
    in: rows([1, 1], [2, 3]),
    out: [[{ l: [1] }]],
  }),
  {
    name: "LIMIT is of each window, not of the rule's life",
    sql: "SELECT a FROM demo GROUP BY TUMBLINGWINDOW(ss, 1) LIMIT 1",
    in: rows([1, 1], [2, 2], [1001, 3], [1002, 4]),
    until: 2000,
    out: [[{ a: 1 }], [{ a: 3 }]],
  },
  {
    name: "collect(*)[1]->a is the second row's",
    sql: "SELECT collect(*)[1]->a AS second FROM demo GROUP BY COUNTWINDOW(3)",
    in: rows([1, 5], [2, 6], [3, 7]),
    out: [[{ second: 6 }]],
  },
  {
    name: "avg of integers is one, cut",
    mode: "compat",
    sql: "SELECT avg(a) AS mean FROM demo GROUP BY COUNTWINDOW(2)",
    streams: ["CREATE STREAM demo (a BIGINT) WITH ()"],
    in: rows([1, 1], [2, 2]),
    out: [[{ mean: 1 }]],
  },
  {
    name: "row_number numbers the results of a window, in an order of its own",
    sql: "SELECT a, row_number() OVER (PARTITION BY k ORDER BY a DESC) AS n, row_number() AS m FROM demo GROUP BY TUMBLINGWINDOW(ss, 1)",
    in: rows([1, 1], [2, 2], [3, 3], [4, 5]),
    until: 1000,
    out: [
      [
        { a: 1, n: 3, m: 1 },
        { a: 2, n: 1, m: 2 },
        { a: 3, n: 2, m: 3 },
        { a: 5, n: 1, m: 4 },
      ],
    ],
  },
  {
    name: "row_number of groups, after HAVING",
    sql: "SELECT k, row_number() OVER (ORDER BY count(*) DESC) AS n FROM demo GROUP BY k, TUMBLINGWINDOW(ss, 1) HAVING count(*) > 0",
    in: rows([1, 1], [2, 2], [3, 3]),
    until: 1000,
    out: [
      [
        { k: 1, n: 1 },
        { k: 0, n: 2 },
      ],
    ],
  },
];
