import type { QueryCase } from "./query-case.ts";

/** [when it comes, when it happened, a], milliseconds */
type Late = readonly (readonly [number, number, number] | readonly [number, number, number, string])[];
const rows = (...all: Late) =>
  all.map(([at, ts, a, stream]) =>
    stream === undefined ? ([at, { ts, a, k: a % 2 }] as const) : ([at, { ts, a, k: a % 2 }, stream] as const),
  );
const of = (name: string, window: string, more: Omit<QueryCase, "name" | "sql">): QueryCase => ({
  ...{ name: `event time: ${name}`, eventTime: {}, ...more },
  sql: `SELECT collect(a) AS l FROM demo GROUP BY ${window}`,
});
const l = (...values: readonly number[]) => [{ l: values }];
const joined = "SELECT x.a AS a, y.a AS b FROM x INNER JOIN y ON x.k = y.k GROUP BY TUMBLINGWINDOW(ss, 1)";

export const eventTime: readonly QueryCase[] = [
  of("a window closes when a row after its end comes", "TUMBLINGWINDOW(ss, 1)", {
    in: rows([1, 100, 1], [2, 900, 2], [3, 1_000, 3]),
    out: [l(1, 2)],
  }),
  of("the clock closes nothing", "TUMBLINGWINDOW(ss, 1)", { in: rows([1, 100, 1]), until: 99_000, out: [] }),
  of("what has happened before the last that came is late, and gone", "TUMBLINGWINDOW(ss, 1)", {
    in: rows([1, 500, 1], [2, 400, 2], [3, 600, 3], [4, 1_500, 4]),
    out: [l(1, 3)],
  }),
  of("a tolerance waits for it, and puts it into its place", "TUMBLINGWINDOW(ss, 1)", {
    eventTime: { lateMs: 200 },
    in: rows([1, 500, 1], [2, 400, 2], [3, 600, 3], [4, 1_500, 4]),
    out: [l(2, 1, 3)],
  }),
  of("what is later than the tolerance is gone", "TUMBLINGWINDOW(ss, 1)", {
    eventTime: { lateMs: 200 },
    in: rows([1, 500, 1], [2, 299, 2], [3, 300, 3], [4, 1_500, 4]),
    out: [l(3, 1)],
  }),
  of("a tolerance holds the window open as long", "TUMBLINGWINDOW(ss, 1)", {
    eventTime: { lateMs: 500 },
    in: rows([1, 900, 1], [2, 1_499, 2], [3, 1_001, 3], [4, 999, 4], [5, 1_500, 5]),
    out: [l(1, 4)],
  }),
  of("rows of one moment keep the order in which they came", "TUMBLINGWINDOW(ss, 1)", {
    in: rows([1, 500, 3], [2, 500, 1], [3, 500, 2], [4, 1_000, 9]),
    out: [l(3, 1, 2)],
  }),
  of("windows that passed at once close one after the other", "HOPPINGWINDOW(ss, 2, 1)", {
    in: rows([1, 500, 1], [2, 1_500, 2], [3, 9_000, 3]),
    out: [l(1), l(1, 2), l(2)],
  }),
  of("sliding looks back in the rows' time", "SLIDINGWINDOW(ss, 1)", {
    eventTime: { lateMs: 500 },
    in: rows([1, 1_000, 1], [2, 2_100, 2], [3, 1_900, 3], [4, 5_000, 4]),
    out: [l(1), l(1, 3), l(3, 2)],
  }),
  of("sliding with a delay", "SLIDINGWINDOW(ms, 500, 500) OVER (WHEN a = 2)", {
    in: rows([1, 1_000, 1], [2, 1_200, 2], [3, 1_600, 3], [4, 1_700, 4]),
    out: [l(1, 2, 3)],
  }),
  of("session: the gap is between rows, not between their coming", "SESSIONWINDOW(ss, 100, 1)", {
    in: rows([1, 500, 1], [60_000, 900, 2], [60_001, 1_900, 3], [60_002, 9_000, 4]),
    out: [l(1, 2), l(3)],
  }),
  of("count: in the order of the rows' time", "COUNTWINDOW(2)", {
    eventTime: { lateMs: 1_000 },
    in: rows([1, 500, 1], [2, 200, 2], [3, 800, 3], [4, 5_000, 4]),
    out: [l(2, 1)],
  }),
  of("state: in the order of the rows' time", "STATEWINDOW(a = 1, a = 2)", {
    eventTime: { lateMs: 1_000 },
    in: rows([1, 500, 2], [2, 200, 1], [3, 400, 7], [4, 5_000, 4]),
    out: [l(1, 7, 2)],
  }),
  {
    name: "event time: event_time() is the row's, in a window its end",
    sql: "SELECT event_time() AS e, window_start() AS s FROM demo GROUP BY TUMBLINGWINDOW(ss, 1)",
    eventTime: {},
    in: rows([1, 1_200, 1], [2, 2_000, 2]),
    out: [[{ e: 2_000, s: 1_000 }]],
  },
  {
    name: "event time: without a window rows come out in their order",
    sql: "SELECT a FROM demo",
    eventTime: { lateMs: 1_000 },
    in: rows([1, 500, 1], [2, 200, 2], [3, 2_000, 3], [4, 9_000, 4]),
    out: [[{ a: 2 }], [{ a: 1 }], [{ a: 3 }]],
  },
  {
    name: "event time: analytic functions look back in it",
    sql: "SELECT a, lag(a) AS before FROM demo",
    eventTime: { lateMs: 1_000 },
    in: rows([1, 500, 1], [2, 200, 2], [3, 9_000, 3]),
    out: [[{ a: 2, before: null }], [{ a: 1, before: 2 }]],
  },
  {
    name: "event time: of two streams the one that is behind says how far it is",
    sql: joined,
    eventTime: {},
    in: rows([1, 100, 1, "x"], [2, 200, 3, "y"], [3, 5_000, 5, "x"], [4, 900, 7, "y"], [5, 1_000, 9, "y"]),
    out: [
      [
        { a: 1, b: 3 },
        { a: 1, b: 7 },
      ],
    ],
  },
  {
    name: "event time: a stream that says nothing holds the other up for ever, as in eKuiper",
    sql: joined,
    eventTime: {},
    in: rows([1, 100, 1, "x"], [2, 200, 3, "y"], [3, 5_000, 5, "x"], [90_000, 9_000, 5, "x"]),
    until: 900_000,
    out: [],
  },
  {
    name: "event time: a stream that is idle does not, where it is said how long",
    sql: joined,
    eventTime: { idleMs: 1_000 },
    in: rows([1, 100, 1, "x"], [2, 200, 3, "y"], [900, 5_000, 5, "x"], [1_100, 5_001, 7, "x"]),
    until: 1_100,
    out: [[{ a: 1, b: 3 }]],
  },
  {
    name: "event time: with all of them idle, all that was heard is in order",
    sql: "SELECT collect(a) AS l FROM demo GROUP BY TUMBLINGWINDOW(ss, 1)",
    eventTime: { lateMs: 5_000, idleMs: 1_000 },
    in: rows([1, 100, 1], [2, 1_200, 2]),
    until: 1_100,
    out: [l(1)],
  },
  {
    name: "event time: an idle stream that speaks again is late where the others went on",
    sql: joined,
    eventTime: { idleMs: 1_000 },
    in: rows([1, 100, 1, "x"], [2, 200, 3, "y"], [1_500, 5_000, 5, "x"], [1_600, 300, 7, "y"], [1_700, 6_000, 9, "x"]),
    until: 1_700,
    out: [[{ a: 1, b: 3 }]],
  },
];
