import type { QueryCase } from "./query-case.ts";

const both = [
  [100, { id: 1, a: 10 }, "l"],
  [200, { id: 2, a: 20 }, "l"],
  [300, { id: 2, b: 5 }, "r"],
  [400, { id: 3, b: 6 }, "r"],
  [500, { id: 2, b: 7 }, "r"],
] as const;
const until = 1000;
const select = "SELECT l.id AS x, r.id AS y, a, b FROM l";
const window = "GROUP BY TUMBLINGWINDOW(ss, 1)";
const typed = ["CREATE STREAM l (id BIGINT, a BIGINT) WITH ()", "CREATE STREAM r (id BIGINT, b BIGINT) WITH ()"];
const of = (name: string, join: string, out: QueryCase["out"]): QueryCase => ({
  ...{ name, streams: typed, in: both, until, out },
  sql: `${select} ${join} ${window}`,
});

export const joins: readonly QueryCase[] = [
  of("INNER JOIN: pairs that meet the condition", "INNER JOIN r ON l.id = r.id", [
    [
      { x: 2, y: 2, a: 20, b: 5 },
      { x: 2, y: 2, a: 20, b: 7 },
    ],
  ]),
  of("LEFT JOIN: left rows without a partner stay, with nulls", "LEFT JOIN r ON l.id = r.id", [
    [
      { x: 1, y: null, a: 10, b: null },
      { x: 2, y: 2, a: 20, b: 5 },
      { x: 2, y: 2, a: 20, b: 7 },
    ],
  ]),
  of("RIGHT JOIN: right rows without a partner stay", "RIGHT JOIN r ON l.id = r.id", [
    [
      { x: 2, y: 2, a: 20, b: 5 },
      { x: 2, y: 2, a: 20, b: 7 },
      { x: null, y: 3, a: null, b: 6 },
    ],
  ]),
  of("FULL JOIN: both stay", "FULL JOIN r ON l.id = r.id", [
    [
      { x: 1, y: null, a: 10, b: null },
      { x: 2, y: 2, a: 20, b: 5 },
      { x: 2, y: 2, a: 20, b: 7 },
      { x: null, y: 3, a: null, b: 6 },
    ],
  ]),
  of("CROSS JOIN: each with each", "CROSS JOIN r", [
    [
      { x: 1, y: 2, a: 10, b: 5 },
      { x: 1, y: 3, a: 10, b: 6 },
      { x: 1, y: 2, a: 10, b: 7 },
      { x: 2, y: 2, a: 20, b: 5 },
      { x: 2, y: 3, a: 20, b: 6 },
      { x: 2, y: 2, a: 20, b: 7 },
    ],
  ]),
  of("a condition that is no equality", "INNER JOIN r ON a > b * 3 AND l.id < r.id", [[{ x: 2, y: 3, a: 20, b: 6 }]]),
  of("an equality and more", "INNER JOIN r ON l.id = r.id AND b > 5", [[{ x: 2, y: 2, a: 20, b: 7 }]]),
  {
    name: "an integer meets a float of its value, and null meets nothing",
    sql: `SELECT l.k AS x, r.k AS y FROM l INNER JOIN r ON l.k = r.k ${window}`,
    streams: ["CREATE STREAM l (k BIGINT) WITH ()", "CREATE STREAM r (k FLOAT) WITH ()"],
    in: [
      [1, { k: 1 }, "l"],
      [2, { k: null }, "l"],
      [3, { k: 1 }, "r"],
      [4, { k: null }, "r"],
    ],
    until,
    out: [[{ x: 1, y: 1 }]],
  },
  {
    name: "WHERE and GROUP BY are of what was joined",
    sql: `SELECT r.id AS id, count(*) AS n, sum(b) AS total FROM l INNER JOIN r ON l.id = r.id WHERE b > 4 GROUP BY r.id, TUMBLINGWINDOW(ss, 1)`,
    streams: typed,
    in: both,
    until,
    out: [[{ id: 2, n: 2, total: 12 }]],
  },
  {
    name: "three streams",
    sql: `SELECT l.id AS id, a, r.b AS b, c FROM l INNER JOIN r ON l.id = r.id LEFT JOIN s ON r.b = s.b ${window}`,
    streams: [...typed, "CREATE STREAM s (b BIGINT, c BIGINT) WITH ()"],
    in: [...both, [600, { b: 7, c: 70 }, "s"]],
    until,
    out: [
      [
        { id: 2, a: 20, b: 5, c: null },
        { id: 2, a: 20, b: 7, c: 70 },
      ],
    ],
  },
  {
    name: "a stream joined with itself has two names",
    sql: `SELECT x.a AS a, y.a AS b FROM l AS x INNER JOIN l AS y ON x.a < y.a ${window}`,
    streams: typed,
    in: both,
    until,
    out: [[{ a: 10, b: 20 }]],
  },
  {
    name: "rows of different windows do not meet",
    sql: `SELECT a, b FROM l INNER JOIN r ON l.id = r.id ${window}`,
    streams: typed,
    in: [
      [900, { id: 1, a: 1 }, "l"],
      [1100, { id: 1, b: 2 }, "r"],
    ],
    until: 3000,
    out: [],
  },
  {
    name: "streams without a window",
    sql: "SELECT a FROM l INNER JOIN r ON l.id = r.id",
    streams: typed,
    in: [],
    out: [],
    refused: /two streams are joined without a window; add TUMBLINGWINDOW/,
  },
  {
    name: "a column that two streams have is the first one's that has a value",
    mode: "compat",
    sql: `SELECT id, b FROM l RIGHT JOIN r ON l.id = r.id ${window}`,
    streams: typed,
    in: [[400, { id: 3, b: 6 }, "r"]],
    until,
    out: [[{ id: 3, b: 6 }]],
  },
  {
    name: "a column that two streams have",
    mode: "strict",
    sql: `SELECT id FROM l INNER JOIN r ON l.id = r.id ${window}`,
    streams: typed,
    in: [],
    out: [],
    refused: /"id" may be of several streams; write l.id or r.id/,
  },
  {
    name: "a stream named twice",
    sql: `SELECT a FROM l INNER JOIN l ON l.id = l.id ${window}`,
    streams: typed,
    in: [],
    out: [],
    refused: /"l" is there twice; give one of them another name with AS/,
  },
];
