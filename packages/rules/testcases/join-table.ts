import type { QueryCase } from "./query-case.ts";

type Cell = number | string | null;
type Pair = readonly [Cell, Cell];
const kinds = ["inner", "left", "right", "full", "cross"] as const;

interface Scenario {
  readonly name: string;
  /** [id, a] of the left stream, [id, b] of the right */
  readonly l: readonly Pair[];
  readonly r: readonly Pair[];
  /** besides l.id = r.id */
  readonly and?: string;
  readonly type?: "BIGINT" | "STRING";
  /** "l.id a r.id b" a row, - is null; a kind that is left out gives what INNER gives */
  readonly out: { readonly [kind in (typeof kinds)[number]]?: readonly string[] };
}

const scenarios: readonly Scenario[] = [
  { name: "nothing on the left", l: [], r: [[1, 5]], out: { inner: [], right: ["- - 1 5"], full: ["- - 1 5"] } },
  { name: "nothing on the right", l: [[1, 10]], r: [], out: { inner: [], left: ["1 10 - -"], full: ["1 10 - -"] } },
  { name: "one on each side, equal", l: [[1, 10]], r: [[1, 5]], out: { inner: ["1 10 1 5"] } },
  {
    name: "one on each side, different",
    l: [[1, 10]],
    r: [[2, 5]],
    out: {
      inner: [],
      left: ["1 10 - -"],
      right: ["- - 2 5"],
      full: ["1 10 - -", "- - 2 5"],
      cross: ["1 10 2 5"],
    },
  },
  {
    name: "two on the left for one on the right",
    l: [
      [1, 10],
      [1, 11],
    ],
    r: [[1, 5]],
    out: { inner: ["1 10 1 5", "1 11 1 5"] },
  },
  {
    name: "one on the left for two on the right",
    l: [[1, 10]],
    r: [
      [1, 5],
      [1, 6],
    ],
    out: { inner: ["1 10 1 5", "1 10 1 6"] },
  },
  {
    name: "two on the left for two on the right",
    l: [
      [1, 10],
      [1, 11],
    ],
    r: [
      [1, 5],
      [1, 6],
    ],
    out: { inner: ["1 10 1 5", "1 10 1 6", "1 11 1 5", "1 11 1 6"] },
  },
  {
    name: "null equals nothing, not even null",
    l: [
      [null, 10],
      [1, 11],
    ],
    r: [
      [null, 5],
      [1, 6],
    ],
    out: {
      inner: ["1 11 1 6"],
      left: ["- 10 - -", "1 11 1 6"],
      right: ["1 11 1 6", "- - - 5"],
      full: ["- 10 - -", "1 11 1 6", "- - - 5"],
      cross: ["- 10 - 5", "- 10 1 6", "1 11 - 5", "1 11 1 6"],
    },
  },
  {
    name: "another condition besides",
    and: "b > 5",
    l: [
      [1, 10],
      [2, 20],
    ],
    r: [
      [1, 5],
      [2, 7],
    ],
    out: {
      inner: ["2 20 2 7"],
      left: ["1 10 - -", "2 20 2 7"],
      right: ["2 20 2 7", "- - 1 5"],
      full: ["1 10 - -", "2 20 2 7", "- - 1 5"],
      cross: ["1 10 1 5", "1 10 2 7", "2 20 1 5", "2 20 2 7"],
    },
  },
  {
    name: "texts",
    type: "STRING",
    l: [["a", 10]],
    r: [
      ["a", 5],
      ["b", 6],
    ],
    out: {
      inner: ["a 10 a 5"],
      right: ["a 10 a 5", "- - b 6"],
      full: ["a 10 a 5", "- - b 6"],
      cross: ["a 10 a 5", "a 10 b 6"],
    },
  },
];

function caseOf(kind: (typeof kinds)[number], { name, l, r, and, type = "BIGINT", out }: Scenario): QueryCase {
  const on = kind === "cross" ? "" : ` ON l.id = r.id${and === undefined ? "" : ` AND ${and}`}`;
  const rows = (out[kind] ?? out.inner!).map((text) => {
    const [x, a, y, b] = text
      .split(" ")
      .map((cell) => (cell === "-" ? null : /^\d+$/.test(cell) ? Number(cell) : cell));
    return { x, a, y, b };
  });
  return {
    name: `${kind}: ${name}`,
    sql: `SELECT l.id AS x, a, r.id AS y, b FROM l ${kind.toUpperCase()} JOIN r${on} GROUP BY TUMBLINGWINDOW(ss, 1)`,
    streams: [`CREATE STREAM l (id ${type}, a BIGINT) WITH ()`, `CREATE STREAM r (id ${type}, b BIGINT) WITH ()`],
    in: [
      ...l.map(([id, a], at) => [100 + at, { id, a }, "l"] as const),
      ...r.map(([id, b], at) => [200 + at, { id, b }, "r"] as const),
    ],
    until: 1000,
    out: rows.length === 0 ? [] : [rows],
  };
}

/** Ten of each kind of join. */
export const joinTable: readonly QueryCase[] = kinds.flatMap((kind) => scenarios.map((one) => caseOf(kind, one)));
