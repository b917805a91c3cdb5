import type { QueryCase } from "./query-case.ts";

const rows = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([at, a]) => [at, { a, k: a % 2 }] as const);
const of = (name: string, window: string, more: Omit<QueryCase, "name" | "sql">): QueryCase => ({
  ...{ name, sql: `SELECT collect(a) AS l FROM demo GROUP BY ${window}`, ...more },
});
const spans = (name: string, window: string, more: Omit<QueryCase, "name" | "sql">): QueryCase => ({
  ...{
    name,
    sql: `SELECT window_start() AS s, window_end() AS e, count(*) AS n FROM demo GROUP BY ${window}`,
    ...more,
  },
});
const l = (...values: readonly number[]) => [{ l: values }];
const hour = 3_600_000;

export const windowKinds: readonly QueryCase[] = [
  spans("tumbling: from edge to edge, the right one not in it", "TUMBLINGWINDOW(ss, 10)", {
    in: rows([0, 1], [9_999, 2], [10_000, 3]),
    until: 20_000,
    out: [[{ s: 0, e: 10_000, n: 2 }], [{ s: 10_000, e: 20_000, n: 1 }]],
  }),
  of("tumbling: closes when the clock says so, not when the next row comes", "TUMBLINGWINDOW(ms, 250)", {
    in: rows([10, 1], [249, 2]),
    until: 250,
    out: [l(1, 2)],
  }),
  of("tumbling: is not closed before its end", "TUMBLINGWINDOW(ms, 250)", { in: rows([10, 1]), until: 249, out: [] }),
  spans("tumbling: hours end with the clock's", "TUMBLINGWINDOW(hh, 1)", {
    in: rows([hour / 2, 1], [hour, 2]),
    until: 2 * hour,
    out: [[{ s: 0, e: hour, n: 1 }], [{ s: hour, e: 2 * hour, n: 1 }]],
  }),
  {
    ...spans("tumbling: a length beyond its unit begins with the unit that is open", "TUMBLINGWINDOW(ss, 120)", {
      in: rows([70_000, 1], [185_000, 2]),
      until: 400_000,
      out: [[{ s: 60_000, e: 180_000, n: 1 }], [{ s: 180_000, e: 300_000, n: 1 }]],
    }),
    mode: "compat",
  },
  {
    ...spans("tumbling: a length beyond its unit ends at its multiples", "TUMBLINGWINDOW(ss, 120)", {
      in: rows([70_000, 1], [185_000, 2]),
      until: 400_000,
      out: [[{ s: 0, e: 120_000, n: 1 }], [{ s: 120_000, e: 240_000, n: 1 }]],
    }),
    mode: "strict",
  },
  {
    ...spans("tumbling: a length that does not divide its unit counts within it once", "TUMBLINGWINDOW(ss, 7)", {
      in: rows([66_000, 1], [68_000, 2], [75_000, 3]),
      until: 90_000,
      out: [[{ s: 60_000, e: 67_000, n: 1 }], [{ s: 67_000, e: 74_000, n: 1 }], [{ s: 74_000, e: 81_000, n: 1 }]],
    }),
    mode: "compat",
  },
  of("tumbling: FILTER chooses before it", "TUMBLINGWINDOW(ss, 1) FILTER (WHERE a > 1)", {
    in: rows([100, 1], [200, 2], [1100, 1]),
    until: 3000,
    out: [l(2)],
  }),
  spans("hopping: each window is as long as it says, one for each hop", "HOPPINGWINDOW(ss, 3, 2)", {
    in: rows([1_000, 1]),
    until: 9_000,
    mode: "strict",
    out: [[{ s: -1_000, e: 2_000, n: 1 }], [{ s: 1_000, e: 4_000, n: 1 }]],
  }),
  of("hopping: a row at an edge is in the windows after it", "HOPPINGWINDOW(ss, 4, 2)", {
    in: rows([2_000, 1], [4_000, 2]),
    until: 12_000,
    out: [l(1), l(1, 2), l(2)],
  }),
  of("hopping: rows in no window of a longer hop are in none", "HOPPINGWINDOW(ss, 1, 2)", {
    in: rows([500, 1], [1_500, 2], [2_500, 3], [3_500, 4]),
    until: 9_000,
    mode: "strict",
    out: [l(2), l(4)],
  }),
  of("hopping: FILTER", "HOPPINGWINDOW(ss, 2, 1) FILTER (WHERE a != 2)", {
    in: rows([100, 1], [200, 2]),
    until: 5_000,
    out: [l(1), l(1)],
  }),
  spans("sliding: from so long before the row up to it, both in it", "SLIDINGWINDOW(ss, 2)", {
    in: rows([1_000, 1], [3_000, 2], [3_001, 3]),
    out: [[{ s: -1_000, e: 1_000, n: 1 }], [{ s: 1_000, e: 3_000, n: 2 }], [{ s: 1_001, e: 3_001, n: 2 }]],
  }),
  of("sliding: rows of one moment trigger one after the other", "SLIDINGWINDOW(ss, 1)", {
    in: rows([5, 1], [5, 2]),
    out: [l(1), l(1, 2)],
  }),
  of("sliding with a delay: the right edge is not in it", "SLIDINGWINDOW(ss, 1, 1) OVER (WHEN a = 2)", {
    in: rows([0, 1], [1_000, 2], [1_999, 3], [2_000, 4]),
    until: 4_000,
    out: [l(1, 2, 3)],
  }),
  of("sliding with a delay: waits for it", "SLIDINGWINDOW(ss, 1, 1)", { in: rows([0, 1]), until: 999, out: [] }),
  of("sliding with a delay: one for each trigger", "SLIDINGWINDOW(ms, 100, 50)", {
    in: rows([0, 1], [40, 2], [60, 3]),
    until: 500,
    out: [l(1, 2), l(1, 2, 3), l(1, 2, 3)],
  }),
  of("sliding with a delay of 0 is none", "SLIDINGWINDOW(ms, 100, 0)", {
    in: rows([0, 1], [50, 2]),
    out: [l(1), l(1, 2)],
  }),
  of("sliding OVER (WHEN …): other rows are in it and give nothing", "SLIDINGWINDOW(ss, 1) OVER (WHEN a > 2)", {
    in: rows([0, 1], [500, 3], [1_100, 2], [1_200, 4]),
    out: [l(1, 3), l(3, 2, 4)],
  }),
  of("sliding OVER (WHEN …) of what cannot be computed triggers nothing", "SLIDINGWINDOW(ss, 1) OVER (WHEN k->x = 1)", {
    in: rows([0, 1]),
    out: [],
  }),
  of(
    "sliding OVER (WHEN …) with a delay and FILTER",
    "SLIDINGWINDOW(ss, 1, 1) FILTER (WHERE a < 9) OVER (WHEN a = 2)",
    {
      in: rows([0, 1], [100, 9], [200, 2], [700, 3]),
      until: 3_000,
      out: [l(1, 2, 3)],
    },
  ),
  of("session: goes on as long as rows come", "SESSIONWINDOW(ss, 100, 2)", {
    in: rows([0, 1], [1_900, 2], [3_800, 3]),
    until: 5_800,
    out: [l(1, 2, 3)],
  }),
  spans("session: from its first row to when it was closed", "SESSIONWINDOW(ss, 100, 1)", {
    in: rows([500, 1], [900, 2]),
    until: 5_000,
    out: [[{ s: 500, e: 1_900, n: 2 }]],
  }),
  of("session: FILTER: rows that it leaves out do not keep it open", "SESSIONWINDOW(ss, 100, 1) FILTER (WHERE a < 5)", {
    in: rows([0, 1], [600, 9], [1_100, 2]),
    until: 9_000,
    out: [l(1), l(2)],
  }),
  of("session: a row of the closing moment is in the next", "SESSIONWINDOW(ss, 100, 1)", {
    in: rows([0, 1], [1_000, 2]),
    until: 9_000,
    out: [l(1), l(2)],
  }),
  of("session: lasts just as long as it may where its first row is at a tick", "SESSIONWINDOW(ss, 2, 1)", {
    in: rows([0, 1], [800, 2], [1_600, 3], [2_400, 4]),
    until: 9_000,
    out: [l(1, 2, 3), l(4)],
  }),
  of("count: every n rows, whenever they come", "COUNTWINDOW(2)", {
    in: rows([0, 1], [90_000, 2], [90_001, 3], [91_000, 4]),
    out: [l(1, 2), l(3, 4)],
  }),
  spans("count: from its first row to its last", "COUNTWINDOW(2)", {
    in: rows([100, 1], [900, 2]),
    out: [[{ s: 100, e: 900, n: 2 }]],
  }),
  of("count: of one", "COUNTWINDOW(1)", { in: rows([1, 1], [2, 2]), out: [l(1), l(2)] }),
  of("count: nothing is put out before there are so many", "COUNTWINDOW(4, 2)", {
    in: rows([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6]),
    out: [l(1, 2, 3, 4), l(3, 4, 5, 6)],
  }),
  {
    name: "count: by group inside it",
    sql: "SELECT k, sum(a) AS s FROM demo GROUP BY k, COUNTWINDOW(4)",
    in: rows([1, 1], [2, 2], [3, 3], [4, 4]),
    out: [
      [
        { k: 1, s: 4 },
        { k: 0, s: 6 },
      ],
    ],
  },
  of("state: rows outside of it are in none", "STATEWINDOW(a = 2, a = 4)", {
    in: rows([1, 9], [2, 2], [3, 4], [4, 9], [5, 2], [6, 9], [7, 4]),
    out: [l(2, 4), l(2, 9, 4)],
  }),
  of("state: it has no end in time", "STATEWINDOW(a = 2, a = 4)", { in: rows([1, 2]), until: 9_000_000, out: [] }),
  of("state: one condition, once met, gives nothing yet", "STATEWINDOW(a = 1)", {
    in: rows([1, 2], [2, 1], [3, 2]),
    out: [],
  }),
  spans("state: from the row that begins to the one that ends", "STATEWINDOW(a = 2, a = 4)", {
    in: rows([100, 2], [200, 3], [300, 4]),
    out: [[{ s: 100, e: 300, n: 3 }]],
  }),
  of("state: one condition by partition", "STATEWINDOW(a > 6) OVER (PARTITION BY k)", {
    in: rows([1, 7], [2, 8], [3, 1], [4, 2], [5, 9], [6, 10]),
    out: [l(7, 1), l(8, 2)],
  }),
  of("state: a row whose partition cannot be computed is in none", "STATEWINDOW(a > 6) OVER (PARTITION BY k->x)", {
    in: rows([1, 7]),
    out: [/Cannot read "x" of float 1: it has no fields/],
  }),
  {
    ...of("state: partitions of long texts stay apart", "STATEWINDOW(a > 6) OVER (PARTITION BY t)", {
      in: [7, 8, 7].map((a, at) => [at, { a, t: `${"x".repeat(80)}${a}` }] as const),
      out: [l(7)],
    }),
  },
  of("state: FILTER", "STATEWINDOW(a = 1, a = 9) FILTER (WHERE a != 5)", {
    in: rows([1, 1], [2, 5], [3, 9]),
    out: [l(1, 9)],
  }),
];
