import type { QueryCase } from "./query-case.ts";

const streams = [
  "CREATE STREAM demo (a BIGINT, b FLOAT, t STRING, f BOOLEAN, at DATETIME, l ARRAY(BIGINT), m ARRAY(STRUCT(k BIGINT)), o STRUCT(x BIGINT, p STRUCT(y STRING), l ARRAY(BIGINT))) WITH ()",
];
const row = {
  ...{ a: 7, b: 2.5, t: "press", f: true, at: 1_000, l: [5, 6, 7], m: [{ k: 1 }, { k: 2 }] },
  o: { x: 3, p: { y: "deep" }, l: [8, 9] },
};
type Gives = unknown;

/** An expression over one row, and its value in both modes. */
const both = (sql: string, x: Gives): QueryCase => ({
  ...{ name: sql, sql: `SELECT ${sql} AS x FROM demo`, streams, in: [[1, row]], out: [[{ x }]] },
});
/** What it is as eKuiper has it, and as people who know SQL expect; a pattern is why it is refused. */
const differs = (sql: string, compat: Gives, strict: Gives): readonly QueryCase[] =>
  (
    [
      ["compat", compat],
      ["strict", strict],
    ] as const
  ).map(([mode, x]) => ({
    ...{ name: sql, mode, sql: `SELECT ${sql} AS x FROM demo`, streams, in: [[1, row]] },
    ...(x instanceof RegExp ? { refused: x, out: [] } : { out: [[{ x }]] }),
  }));
const fails = (sql: string, why: RegExp): QueryCase => ({ ...both(sql, null), out: [why] });

export const expressions: readonly QueryCase[] = [
  ...[both("1 + 2 * 3", 7), both("(1 + 2) * 3", 9), both("10 - 4 - 3", 3), both("2 * 3 % 4", 2), both("8 / 2 / 2", 2)],
  ...[
    both("a + b", 9.5),
    both("a / 2", 3),
    both("a / 2.0", 3.5),
    both("b * 2", 5),
    both("a % 3", 1),
    both("b - a", -4.5),
  ],
  ...[
    both("6 & 3", 2),
    both("6 | 3", 7),
    both("6 ^ 3", 5),
    both("1 | 2 + 4", 7),
    both("-7 / 2", -3),
    both("-7 % 3", -1),
  ],
  ...[both("a = 7", true), both("a != 7", false), both("a >= 7.0", true), both("b < 3", true), both("a < b", false)],
  ...[both("t = 'press'", true), both("t < 'q'", true), both("f = TRUE", true), both("f != FALSE", true)],
  ...[both("at = 1000", true), both("at < 1001", true), both("at >= '1970-01-01T00:00:01Z'", true)],
  ...[
    both("a = 7 AND b = 2.5 OR FALSE", true),
    both("TRUE OR FALSE AND FALSE", true),
    both("(TRUE OR FALSE) AND FALSE", false),
  ],
  ...[
    both("a > 1 AND a < 9", true),
    both("a + 1 = 8 AND TRUE", true),
    both("FALSE AND a / 0 = 1", false),
    both("TRUE OR a / 0 = 1", true),
  ],
  ...[
    both("a BETWEEN 7 AND 8", true),
    both("a BETWEEN 8 AND 7", false),
    both("a NOT BETWEEN 1 AND 3", true),
    both("t BETWEEN 'a' AND 'z'", true),
  ],
  ...[
    both("a IN (1, 7)", true),
    both("a NOT IN (1, 2)", true),
    both("t IN ('valve', 'press')", true),
    both("a IN (1.5, 7.0)", true),
  ],
  ...[
    both("6 IN l", true),
    both("a IN l", true),
    both("8 NOT IN l", true),
    both("a IN (a, b)", true),
    both("t IN (1, 'x')", false),
  ],
  ...[
    both("t LIKE 'pr%'", true),
    both("t LIKE '%ess'", true),
    both("t LIKE 'p_ess'", true),
    both("t LIKE 'P%'", false),
  ],
  ...[
    both("t LIKE '%'", true),
    both("t LIKE 'press'", true),
    both("t NOT LIKE '%x%'", true),
    both("t LIKE concat('p', '%')", true),
  ],
  ...[
    both("t LIKE 'p.ess'", false),
    both("t LIKE '%e%s'", true),
    both("'a%b' LIKE 'a%b'", true),
    both("'' LIKE '%'", true),
  ],
  ...[
    both("CASE a WHEN 1 THEN 'one' WHEN 7 THEN 'seven' ELSE 'other' END", "seven"),
    both("CASE a WHEN 1 THEN 2 END", null),
  ],
  ...[
    both("CASE WHEN a > 5 THEN 'high' WHEN a > 1 THEN 'low' END", "high"),
    both("CASE WHEN FALSE THEN 1 ELSE 2 END", 2),
  ],
  ...[both("CASE WHEN a > 5 THEN 1 ELSE a / 0 END", 1), both("CASE t WHEN 'press' THEN CASE WHEN f THEN 1 END END", 1)],
  ...[
    both("o->x", 3),
    both("o.x", 3),
    both("o->p->y", "deep"),
    both("o.p.y", "deep"),
    both("o->none", null),
    both("o->none->deeper", null),
  ],
  ...[
    both("l[0]", 5),
    both("l[-1]", 7),
    both("l[a - 6]", 6),
    both("l[0] + l[1]", 11),
    both("o->l[1]", 9),
    both("m[0]->k", 1),
  ],
  ...[
    both("m[-1].k", 2),
    both("l[1:]", [6, 7]),
    both("l[:2]", [5, 6]),
    both("l[:]", [5, 6, 7]),
    both("l[0:2]", [5, 6]),
  ],
  ...[both("l[1:a - 4]", [6, 7]), both("l[:][1]", 6), both("l[-2:-1]", [6]), both("o->l[0:1]", [8])],
  ...[
    both("'a\\tb'", "a\tb"),
    both("'\\u00e9'", "é"),
    both("'say \\'hi\\''", "say 'hi'"),
    both("-3", -3),
    both("2.50", 2.5),
  ],
  ...[
    both("TRUE", true),
    both("false", false),
    both("9223372036854775807 > 9223372036854775806", true),
    both("1 /* one */ + 1 -- more\n", 2),
  ],
  ...[both("ABS(-3)", 3), both("Concat('a', 'b')", "ab"), both("length(t) + 1", 6), both("`a` + 1", 8)],
  ...differs("a <> 1", /write !=/, true),
  ...differs("a ! 7", true, /write != or NOT/),
  ...differs("NOT f", /eKuiper knows no NOT/, false),
  ...differs("NOT a = 1 AND f", /eKuiper knows no NOT/, true),
  ...differs("a IS NULL", /IS/, false),
  ...differs("a IS NOT NULL", /IS/, true),
  ...differs("-a", /minus only before a number/, -7),
  ...differs("2 - -b", /minus only before a number/, 4.5),
  ...differs("1 < a < 9", /./, /write a < b AND b < c/).slice(1),
  ...differs("l[1:1]", 6, []),
  ...differs("missing", null, /there is no column "missing"/),
  ...differs("missing = 1", false, /there is no column "missing"/),
  ...differs("missing + 1", null, /there is no column "missing"/),
  ...differs("isnull(missing)", true, /there is no column "missing"/),
  ...differs("9223372036854775807 + a < 0", true, /./).slice(0, 1),
  fails("a + t", /bigint 7 \+ string "press": both must be numbers/),
  fails("t * 2", /both must be numbers/),
  fails("f + 1", /boolean true \+ bigint 1/),
  fails("a = t", /Cannot compare bigint 7 with string "press"/),
  fails("l = l", /Cannot compare array/),
  fails("o = o", /Cannot compare struct/),
  fails("f > 1", /Cannot compare boolean true with bigint 1/),
  fails("at > 'soon'", /Cannot compare datetime/),
  fails("a LIKE '7'", /with LIKE: it must be a text/),
  fails("a AND f", /bigint 7 with AND: it must be true or false/),
  fails("t OR f", /string "press" with OR/),
  fails("a IN t", /IN takes an array/),
  fails("b & 1", /both must be integers/),
  fails("a->x", /it has no fields/),
  fails("t[0]", /it is no array/),
  fails("o[0]", /it is no array/),
  fails("l['0']", /it must be a whole number/),
  fails("l[0.5]", /it must be a whole number/),
  fails("l[7]", /\[7\]: outside of it/),
  fails("l[-4]", /\[-4\]: outside of it/),
  fails("l[2:1]", /\[2:1\]: outside of it/),
  fails("CASE WHEN a THEN 1 END", /bigint 7 with WHEN/),
];
