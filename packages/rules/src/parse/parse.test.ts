import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@penstock/model";
import fc from "fast-check";
import type { Expr, Mode, Select } from "./ast.ts";
import { parse, parseQuery } from "./parse.ts";
import { printExpr } from "./print.ts";

const first = (query: Select): Expr => {
  const [field] = query.fields;
  assert.ok(field !== undefined && "expr" in field);
  return field.expr;
};
const expr = (text: string, mode: Mode = "strict") => printExpr(first(parseQuery(`SELECT ${text} FROM s`, mode)));
const refusal = (sql: string, mode: Mode = "strict"): string => {
  try {
    parse(sql, mode);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, "rules/bad-sql");
    return error.message;
  }
  assert.fail(`${sql} was read`);
};

test("operators bind as the reference says, and chains go to the left", () => {
  for (const [sql, tree] of [
    ["a + b * c", "(`a` + (`b` * `c`))"],
    ["a - b - c", "((`a` - `b`) - `c`)"],
    ["a | b & c", "(`a` | (`b` & `c`))"],
    ["a + 1 > b AND c OR d", "((((`a` + 1) > `b`) AND `c`) OR `d`)"],
    ["a OR b OR c AND d", "(`a` OR `b` OR (`c` AND `d`))"],
    ["a->b[1]->c * 2", "(`a`->`b`[1]->`c` * 2)"],
    ["a.b->c.d", "`a`.`b`->`c`->`d`"],
    ["a[1:], a", "`a`[1:]"],
    ["a[:-1]", "`a`[:-1]"],
    ["a[x + 1:y]", "`a`[(`x` + 1):`y`]"],
    ["a NOT BETWEEN 1 AND 2 AND b", "((`a` NOT BETWEEN 1 AND 2) AND `b`)"],
    ["a IN (1, 2 + 3)", "(`a` IN (1, (2 + 3)))"],
    ["a NOT IN b->c", "(`a` NOT IN `b`->`c`)"],
    ["a LIKE '%x_'", "(`a` LIKE '%x_')"],
    ["CASE a WHEN 1 THEN 'x' ELSE 'y' END", "CASE `a` WHEN 1 THEN 'x' ELSE 'y' END"],
    ["CASE WHEN a > 1 THEN 2 END", "CASE WHEN (`a` > 1) THEN 2 END"],
    ["count(*)", "count(*)"],
    ["lag(a, 1, 0) OVER (PARTITION BY b, c WHEN d > 1)", "lag(`a`, 1, 0) OVER (PARTITION BY `b`, `c` WHEN (`d` > 1))"],
    ["row_number() OVER (ORDER BY a DESC)", "row_number() OVER (ORDER BY `a` DESC)"],
    ["sum(a) FILTER (WHERE b > 1)", "sum(`a`) FILTER (WHERE (`b` > 1))"],
    ["replace(a, 'b')", "REPLACE(`a`, 'b')"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["`select`", "`select`"],
  ] as const) {
    for (const mode of ["strict", "compat"] as const) assert.equal(expr(sql, mode), tree, `${sql} in ${mode}`);
  }
});

test("strict mode reads what SQL has and eKuiper has not", () => {
  for (const [sql, tree] of [
    ["a <> b", "(`a` != `b`)"],
    ["NOT a = b", "(NOT (`a` = `b`))"],
    ["NOT a AND b", "((NOT `a`) AND `b`)"],
    ["a IS NULL OR b IS NOT NULL", "((`a` IS NULL) OR (`b` IS NOT NULL))"],
    ["-a * b", "((- `a`) * `b`)"],
    ["- - a", "(- (- `a`))"],
    ["NULL", "NULL"],
    ["'it''s'", "'it\\'s'"],
  ] as const) {
    assert.equal(expr(sql), tree, sql);
    assert.notEqual(refusal(`SELECT ${sql} x y FROM s`, "compat"), "");
  }
});

test("compat mode has eKuiper's quirks: ! is =, strings in either quotes, no NOT, <>, || or lone JOIN", () => {
  assert.equal(expr("a ! b", "compat"), "(`a` = `b`)");
  assert.equal(expr('a = "x\\ty"', "compat"), "(`a` = 'x\ty')");
  assert.match(
    refusal("SELECT a <> b FROM s", "compat"),
    /line 1, column 10, near "<>": eKuiper does not read <>; write !=/,
  );
  assert.match(refusal("SELECT NOT a FROM s", "compat"), /write … = false/);
  assert.match(refusal("SELECT -a FROM s", "compat"), /minus only before a number/);
  assert.match(refusal("SELECT a FROM s JOIN t ON a = b", "compat"), /write INNER JOIN/);
  assert.match(refusal("SELECT a FROM s CROSS JOIN t ON a = b", "compat"), /CROSS JOIN has no ON/);
});

test("an error names line, column, what stands there and what to write", () => {
  for (const [sql, text] of [
    ["SELECT a,\n  FORM s", /line 2, column 8, near "s": a name follows an expression; write AS before it, or a comma/],
    ["SELECT a FROM", /at its end: the name of a stream is missing/],
    ['SELECT "a" FROM s', /write '…' for a text, `…` for a name/],
    ["SELECT a b FROM s", /write AS before it, or a comma/],
    ["SELECT 1e5 FROM s", /numbers have no exponent/],
    ["SELECT 9223372036854775808 FROM s", /not between -9223372036854775808 and 9223372036854775807/],
    ["SELECT a FROM s WHERE a < b < c", /write a < b AND b < c/],
    ["SELECT a FROM s GROUP BY TUMBLINGWINDOW(10)", /a unit is missing: dd, hh, mi, ss or ms/],
    ["SELECT a FROM s GROUP BY TUMBLINGWINDOW(ss, 1, 2)", /takes 1 after the unit and has 2/],
    ["SELECT a FROM s GROUP BY COUNTWINDOW(1), COUNTWINDOW(2)", /one window only/],
    ["SELECT * AS b FROM s", /\* cannot have a name/],
    ["SELECT a FROM s LIMIT -1", /LIMIT takes a whole number from 0/],
    ["SELECT a FROM s; SELECT b FROM s", /the statement should end here/],
    ["SELECT a FROM s LEFT JOIN t", /write CROSS JOIN/],
    ["SELECT 'a FROM s", /no closing '/],
    ["SELECT a /* b FROM s", /the comment has no end/],
    ["SELECT a FROM s WHERE \u00e4 > 1", /near "ä": ä means nothing here; write other names in `…`/],
    ["INSERT INTO s", /begin with SELECT, CREATE/],
  ] as const) {
    assert.match(refusal(sql), text, sql);
  }
});

test("parseQuery() reads every clause", () => {
  const query = parseQuery(
    "SELECT a.*, * EXCEPT(x, y) REPLACE(b + 1 AS b), c AS d INVISIBLE FROM demo AS a LEFT JOIN t AS b ON a.id = b.id " +
      "WHERE c > 1 GROUP BY c, SLIDINGWINDOW(ss, 10, 2) FILTER (WHERE d > 1) OVER (WHEN e > 1) HAVING count(*) > 2 " +
      "ORDER BY c DESC, d LIMIT 5;",
    "compat",
  );
  assert.deepEqual(
    query.fields.map((one) =>
      "expr" in one ? [one.alias, one.isInvisible] : [one.source, one.except, one.replace.length],
    ),
    [
      ["a", [], 0],
      [null, ["x", "y"], 1],
      ["d", true],
    ],
  );
  assert.deepEqual([query.from.name, query.from.alias], ["demo", "a"]);
  assert.deepEqual(
    query.joins.map(({ kind, source, on }) => [kind, source.name, source.alias, on && printExpr(on)]),
    [["left", "t", "b", "(`a`.`id` = `b`.`id`)"]],
  );
  const { window } = query;
  assert.deepEqual([window?.kind, window?.unit, window?.args.map(printExpr)], ["sliding", "ss", ["10", "2"]]);
  assert.deepEqual(
    [window?.filter, window?.over?.when].map((one) => one && printExpr(one)),
    ["(`d` > 1)", "(`e` > 1)"],
  );
  assert.deepEqual(query.groupBy.map(printExpr), ["`c`"]);
  assert.deepEqual(
    query.orderBy.map((one) => [printExpr(one.expr), one.isDescending]),
    [
      ["`c`", true],
      ["`d`", false],
    ],
  );
  assert.deepEqual([query.having && printExpr(query.having), query.limit], ["(count(*) > 2)", 5]);
});

test("a topic may stand for a stream", () => {
  assert.equal(parseQuery("SELECT a FROM plant/+/temp WHERE a > 1", "compat").from.name, "plant/+/temp");
  assert.equal(parseQuery("SELECT a FROM `gw-01/temp`", "strict").from.name, "gw-01/temp");
});

test("statements about streams and tables", () => {
  const made = parse(
    'CREATE STREAM demo (id BIGINT, name STRING DEFAULT "x", at DATETIME, list ARRAY(STRUCT(a FLOAT, b BYTEA)), on1 BOOLEAN) ' +
      'WITH (DATASOURCE="demo/#", format="json", SHARED=TRUE)',
    "compat",
  );
  assert.ok(made.t === "create" && made.columns !== null);
  assert.deepEqual(
    [made.kind, made.name, made.columns.map(({ name, type }) => `${name} ${type.t}`)],
    ["stream", "demo", ["id bigint", "name string", "at datetime", "list array", "on1 boolean"]],
  );
  assert.deepEqual(
    [...made.options],
    [
      ["DATASOURCE", "demo/#"],
      ["FORMAT", "json"],
      ["SHARED", "TRUE"],
    ],
  );
  assert.equal(made.columns[1]?.byDefault?.value, "x");
  assert.deepEqual(
    ["SHOW STREAMS", "DESCRIBE TABLE t", "EXPLAIN STREAM s", "DROP TABLE t"].map((sql) => {
      const { t, kind } = parse(sql, "compat") as { t: string; kind: string };
      return `${t} ${kind}`;
    }),
    ["show stream", "describe table", "explain stream", "drop table"],
  );
  assert.match(refusal("CREATE STREAM s (a NUMBER) WITH ()"), /there is no such type; types are bigint/);
  assert.match(refusal("CREATE STREAM s () WITH (A='1', a='2')"), /A is given twice/);
});

const leaf = fc.constantFrom("a", "`b c`", "1", "2.5", "'x'", "TRUE", "s.a", "f()", "count(*)");
const { tree } = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc
      .tuple(tie("tree"), fc.constantFrom(..."+-*/%&|^", "AND", "OR"), tie("tree"))
      .map(([a, op, b]) => `${a} ${op} ${b}`),
    fc
      .tuple(tie("tree"), fc.constantFrom("=", "!=", "<", ">="), tie("tree"))
      .map(([a, op, b]) => `(${a}) ${op} (${b})`),
    tie("tree").map((a) => `(${a})`),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `CASE WHEN ${a} THEN ${b} ELSE ${a} END`),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a})[${b}]`),
    fc.tuple(tie("tree"), tie("tree"), tie("tree")).map(([a, b, c]) => `(${a}) BETWEEN (${b}) AND (${c})`),
    tie("tree").map((a) => `abs(${a})`),
  ),
}));

test("what is printed is read as the same tree", () => {
  fc.assert(
    fc.property(tree, (text) => {
      const printed = expr(text, "compat");
      assert.equal(expr(printed, "compat"), printed);
    }),
    { numRuns: 500 },
  );
});

test("any text is read or refused with a place, and nothing else happens", () => {
  const words =
    "SELECT FROM WHERE GROUP BY ( ) , * + - -> . [ ] : = ! <> 'x' \"y\" 1 2.5 a `b` AS AND OR NOT IN CASE WHEN THEN END".split(
      " ",
    );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 40 }),
      (parts) => {
        for (const mode of ["strict", "compat"] as const) {
          try {
            parse(parts.join(" "), mode);
          } catch (error) {
            assert.ok(error instanceof AppError && error.code === "rules/bad-sql", String(error));
            assert.match(error.message, /line \d+, column \d+/);
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("nothing is nested so deep that the stack ends, and a long query is refused", () => {
  for (const [open, close] of ["()", "[]"].map((pair) => [...pair])) {
    const sql = `SELECT a${open === "[" ? "" : " + "}${`${open}${open === "[" ? "a" : ""}`.repeat(5000)}1${close!.repeat(5000)} FROM s`;
    assert.match(refusal(sql), /nested more than 200 deep/);
  }
  assert.match(refusal(`SELECT ${"NOT ".repeat(5000)}a FROM s`), /nested more than 200 deep/);
  assert.match(refusal(`SELECT ${"- ".repeat(5000)}a FROM s`), /nested more than 200 deep/);
  assert.match(refusal(`SELECT a${" + a".repeat(5000)} FROM s`), /more than 500 operators follow each other/);
  parse(`SELECT a FROM s WHERE ${"a > 1 OR ".repeat(5000)}TRUE`, "strict");
  assert.throws(() => parse(`SELECT ${"a, ".repeat(30_000)}a FROM s`, "strict"), { code: "input/too-large" });
});
