import type { QueryCase } from "./query-case.ts";

const demo = "CREATE STREAM demo (id BIGINT, a BIGINT) WITH ()";
const other = "CREATE STREAM other (id BIGINT, c BIGINT) WITH ()";
const table = (name: string, options: string) => `CREATE TABLE ${name} (id BIGINT, b BIGINT) WITH (${options})`;
const kept = (options: string) => [demo, table("t", `DATASOURCE='t'${options}`)];
const stream = (at: number, id: number | null, a = 10) => [at, { id, a }, "demo"] as const;
const row = (at: number, id: number | null, b: number) => [at, { id, b }, "t"] as const;
const scan = (name: string, more: Omit<QueryCase, "name" | "streams"> & { readonly options?: string }): QueryCase => {
  const { options = ", RETAIN_SIZE='3'", ...rest } = more;
  return { name: `scan table: ${name}`, streams: kept(options), ...rest };
};
const refused = (name: string, sql: string, streams: readonly string[], message: RegExp): QueryCase => ({
  ...{ name, sql, streams, refused: message, in: [], out: [] },
});
const inner = "SELECT a, b FROM demo INNER JOIN t ON demo.id = t.id";

const scans: readonly QueryCase[] = [
  scan("a row of the stream is joined at once, without a window", {
    sql: inner,
    in: [row(1, 1, 5), row(2, 2, 6), stream(3, 2), stream(4, 1, 11)],
    out: [[{ a: 10, b: 6 }], [{ a: 11, b: 5 }]],
  }),
  scan("rows of the table give nothing by themselves", { sql: inner, in: [row(1, 1, 5), row(2, 1, 6)], out: [] }),
  scan("a row before the table's finds nothing", { sql: inner, in: [stream(1, 1), row(2, 1, 5)], out: [] }),
  scan("LEFT JOIN keeps the row of the stream", {
    sql: inner.replace("INNER", "LEFT"),
    in: [stream(1, 1), row(2, 1, 5), stream(3, 1)],
    out: [[{ a: 10, b: null }], [{ a: 10, b: 5 }]],
  }),
  scan("RIGHT JOIN keeps the rows of the table", {
    sql: inner.replace("INNER", "RIGHT"),
    in: [row(1, 1, 5), row(2, 2, 6), stream(3, 2)],
    out: [
      [
        { a: 10, b: 6 },
        { a: null, b: 5 },
      ],
    ],
  }),
  scan("FULL JOIN keeps both", {
    sql: inner.replace("INNER", "FULL"),
    in: [row(1, 1, 5), stream(2, 2)],
    out: [
      [
        { a: 10, b: null },
        { a: null, b: 5 },
      ],
    ],
  }),
  scan("CROSS JOIN is every row that is kept", {
    sql: "SELECT a, b FROM demo CROSS JOIN t",
    in: [row(1, 1, 5), row(2, 2, 6), stream(3, 9)],
    out: [
      [
        { a: 10, b: 5 },
        { a: 10, b: 6 },
      ],
    ],
  }),
  scan("RETAIN_SIZE rows are kept, the oldest goes", {
    ...{ sql: "SELECT collect(b) AS l FROM demo CROSS JOIN t", mode: "compat" },
    in: [row(1, 1, 5), row(2, 1, 6), row(3, 1, 7), row(4, 1, 8), stream(5, 1)],
    out: [[{ l: [6, 7, 8] }]],
  }),
  scan("one row is kept where RETAIN_SIZE is not said", {
    ...{ options: "", sql: inner },
    in: [row(1, 1, 5), row(2, 1, 6), stream(3, 1), row(4, 2, 7), stream(5, 1)],
    out: [[{ a: 10, b: 6 }]],
  }),
  scan("with a key the last row of each value is kept", {
    ...{ options: ", KEY='id'", sql: "SELECT a, b FROM demo CROSS JOIN t" },
    in: [row(1, 1, 5), row(2, 2, 6), row(3, 1, 7), stream(4, 1)],
    out: [
      [
        { a: 10, b: 6 },
        { a: 10, b: 7 },
      ],
    ],
  }),
  scan("it changes slowly: what comes later meets later rows alone", {
    ...{ options: ", KEY='id'", sql: inner },
    in: [row(1, 1, 5), stream(2, 1), row(3, 1, 6), stream(4, 1)],
    out: [[{ a: 10, b: 5 }], [{ a: 10, b: 6 }]],
  }),
  scan("null meets nothing", { sql: inner, in: [row(1, null, 5), stream(2, null)], out: [] }),
  scan("a condition besides equality", {
    sql: `${inner} AND b > 5`,
    in: [row(1, 1, 5), row(2, 1, 6), stream(3, 1)],
    out: [[{ a: 10, b: 6 }]],
  }),
  scan("a condition without equality looks at all", {
    sql: "SELECT b FROM demo INNER JOIN t ON demo.a > t.b",
    in: [row(1, 1, 5), row(2, 2, 50), stream(3, 7)],
    out: [[{ b: 5 }]],
  }),
  scan("WHERE is of what was joined", {
    sql: `${inner} WHERE a + b > 15`,
    in: [row(1, 1, 5), row(2, 1, 6), stream(3, 1)],
    out: [[{ a: 10, b: 6 }]],
  }),
  scan("* is of both", {
    sql: "SELECT * FROM demo LEFT JOIN t ON demo.id = t.id",
    in: [row(1, 1, 5), stream(2, 1)],
    out: [[{ id: 1, a: 10, b: 5 }]],
  }),
  scan("in a window the table is what it is when the window closes", {
    sql: `${inner} GROUP BY TUMBLINGWINDOW(ss, 1)`,
    in: [row(100, 1, 5), stream(200, 1), stream(300, 2), row(400, 2, 6), stream(500, 9)],
    until: 1000,
    out: [
      [
        { a: 10, b: 5 },
        { a: 10, b: 6 },
      ],
    ],
  }),
  scan("a window counts no rows of a table", {
    sql: `SELECT count(*) AS n FROM demo LEFT JOIN t ON demo.id = t.id GROUP BY COUNTWINDOW(2)`,
    in: [row(1, 1, 5), row(2, 2, 5), stream(3, 1), row(4, 3, 5), stream(5, 2)],
    out: [[{ n: 2 }]],
  }),
  {
    name: "scan table: two of them",
    sql: "SELECT a, b, c FROM demo INNER JOIN t ON demo.id = t.id LEFT JOIN u ON t.b = u.id",
    streams: [...kept(", KEY='id'"), "CREATE TABLE u (id BIGINT, c BIGINT) WITH (KEY='id')"],
    in: [row(1, 1, 5), [2, { id: 5, c: 9 }, "u"], stream(3, 1), row(4, 1, 6), stream(5, 1)],
    out: [[{ a: 10, b: 5, c: 9 }], [{ a: 10, b: 6, c: null }]],
  },
  {
    name: "scan table: with two streams in a window",
    sql: "SELECT a, b, c FROM demo INNER JOIN other ON demo.id = other.id INNER JOIN t ON other.id = t.id GROUP BY COUNTWINDOW(2)",
    streams: [...kept(", KEY='id'"), other],
    in: [row(1, 1, 5), stream(2, 1), [3, { id: 1, c: 7 }, "other"]],
    out: [[{ a: 10, b: 5, c: 7 }]],
  },
  refused(
    "scan table: not after FROM",
    "SELECT b FROM t",
    kept(""),
    /near "t": "t" is a table; write a stream after FROM/,
  ),
  refused(
    "scan table: two streams still need a window",
    "SELECT a FROM demo INNER JOIN t ON demo.id = t.id INNER JOIN other ON t.id = other.id",
    [...kept(""), other],
    /near "INNER JOIN other.*two streams are joined without a window/,
  ),
  refused("RETAIN_SIZE that is no number", inner, kept(", RETAIN_SIZE='many'"), /RETAIN_SIZE is a number from 1 to/),
  refused("KIND that is none", inner, kept(", KIND='cold'"), /there is no KIND of table "cold"; write scan or lookup/),
];

const asked = [demo, table("t", "DATASOURCE='t', TYPE='sql', KIND='lookup'")];
const memory = [demo, table("t", "DATASOURCE='t', TYPE='memory', KIND='lookup', KEY='id'")];
const lookups = {
  t: [
    { id: 1, b: 5 },
    { id: 2, b: 6 },
    { id: 2, b: 7 },
  ],
};
const lookup = (name: string, more: Omit<QueryCase, "name" | "streams">): QueryCase => ({
  ...{ name: `lookup table: ${name}`, streams: asked, lookups, ...more },
});

const asks: readonly QueryCase[] = [
  lookup("a row is joined with what the answer has", {
    sql: inner,
    in: [stream(1, 2), stream(2, 1)],
    out: [
      [
        { a: 10, b: 6 },
        { a: 10, b: 7 },
      ],
      [{ a: 10, b: 5 }],
    ],
  }),
  lookup("an answer of no rows is no partner", { sql: inner, in: [stream(1, 3)], out: [] }),
  lookup("LEFT JOIN keeps the row of the stream", {
    sql: inner.replace("INNER", "LEFT"),
    in: [stream(1, 3), stream(2, 1)],
    out: [[{ a: 10, b: null }], [{ a: 10, b: 5 }]],
  }),
  lookup("an answer that is not there yet is waited for, and is no missing partner", {
    ...{ sql: inner.replace("INNER", "LEFT"), lookups: {} },
    in: [stream(1, 1)],
    out: [],
  }),
  lookup("null asks for nothing", { ...{ sql: inner, lookups: {} }, in: [stream(1, null)], out: [] }),
  lookup("what else is in ON is looked at afterwards", {
    sql: `${inner} AND t.b > 6`,
    in: [stream(1, 2), stream(2, 1)],
    out: [[{ a: 10, b: 7 }]],
  }),
  lookup("it is asked by more than one column", {
    sql: "SELECT a, b FROM demo INNER JOIN t ON demo.id = t.id AND demo.a - 4 = t.b",
    in: [stream(1, 2)],
    out: [[{ a: 10, b: 6 }]],
  }),
  lookup("it is asked by what is calculated of the row", {
    sql: "SELECT b FROM demo INNER JOIN t ON demo.a - 9 = t.id",
    in: [stream(1, 2)],
    out: [[{ b: 5 }]],
  }),
  lookup("WHERE is of what was joined", {
    sql: `${inner} WHERE b = 7`,
    in: [stream(1, 2), stream(2, 1)],
    out: [[{ a: 10, b: 7 }]],
  }),
  lookup("in a window it is asked when the window closes", {
    sql: `SELECT sum(b) AS s FROM demo INNER JOIN t ON demo.id = t.id GROUP BY COUNTWINDOW(2)`,
    in: [stream(1, 1), stream(2, 2)],
    out: [[{ s: 18 }]],
  }),
  lookup("types of its columns count", {
    sql: "SELECT b / 2 AS half FROM demo INNER JOIN t ON demo.id = t.id",
    in: [stream(1, 1)],
    out: [[{ half: 2 }]],
  }),
  {
    name: "lookup table: what one gives is what the next is asked by",
    sql: "SELECT c FROM demo INNER JOIN t ON demo.id = t.id INNER JOIN u ON t.b = u.b",
    streams: [...asked, "CREATE TABLE u (b BIGINT, c BIGINT) WITH (TYPE='redis', KIND='lookup')"],
    lookups: { ...lookups, u: [{ b: 6, c: 60 }] },
    in: [stream(1, 2)],
    out: [[{ c: 60 }]],
  },
  {
    name: "lookup table: asked by what two streams in a window give",
    sql: "SELECT a, c, b FROM demo INNER JOIN other ON demo.id = other.id INNER JOIN t ON other.c = t.id GROUP BY COUNTWINDOW(2)",
    streams: [...asked, other],
    lookups,
    in: [stream(1, 8), [2, { id: 8, c: 1 }, "other"]],
    out: [[{ a: 10, c: 1, b: 5 }]],
  },
  {
    name: "lookup table: beside a scan table",
    sql: "SELECT b, c FROM demo INNER JOIN u ON demo.id = u.id INNER JOIN t ON u.c = t.id",
    streams: [...asked, "CREATE TABLE u (id BIGINT, c BIGINT) WITH (KEY='id')"],
    lookups,
    in: [[1, { id: 8, c: 1 }, "u"], stream(2, 8)],
    out: [[{ b: 5, c: 1 }]],
  },
  {
    name: "lookup table in memory: the last row of each key",
    sql: inner,
    streams: memory,
    in: [row(1, 1, 5), row(2, 1, 6), stream(3, 1), row(4, 1, 7), stream(5, 1)],
    out: [[{ a: 10, b: 6 }], [{ a: 10, b: 7 }]],
  },
  {
    name: "lookup table in memory: asked by another column than its key",
    sql: "SELECT t.id AS k FROM demo INNER JOIN t ON demo.a = t.b",
    streams: memory,
    in: [row(1, 1, 10), row(2, 2, 10), row(3, 1, 11), stream(4, 9)],
    out: [[{ k: 2 }]],
  },
  {
    name: "lookup table in memory: LEFT JOIN of a key that nobody has",
    sql: inner.replace("INNER", "LEFT"),
    streams: memory,
    in: [row(1, 1, 5), stream(2, 2)],
    out: [[{ a: 10, b: null }]],
  },
  ...[asked, memory].flatMap((streams, at) => {
    const where = at === 0 ? "lookup table" : "lookup table in memory";
    return [
      ...["RIGHT", "FULL"].map((kind) =>
        refused(`${where}: no ${kind} JOIN`, inner.replace("INNER", kind), streams, /write INNER JOIN or LEFT JOIN/),
      ),
      refused(`${where}: no CROSS JOIN`, "SELECT b FROM demo CROSS JOIN t", streams, /knows rows by their keys only/),
      refused(
        `${where}: no join without equality`,
        "SELECT b FROM demo INNER JOIN t ON demo.a > t.b",
        streams,
        /is asked by a column/,
      ),
      refused(`${where}: not after FROM`, "SELECT b FROM t", streams, /"t" is a table/),
    ];
  }),
];

export const tables: readonly QueryCase[] = [...scans, ...asks];
