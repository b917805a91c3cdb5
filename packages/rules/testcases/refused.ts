import type { QueryCase } from "./query-case.ts";

const of = (name: string, sql: string, refused: RegExp, mode?: QueryCase["mode"]): QueryCase => ({
  ...{ name, sql, refused, in: [], out: [] },
  ...(mode !== undefined && { mode }),
});

/** What eKuiper does not read although its documents have it, and what strict mode will not guess. */
export const refused: readonly QueryCase[] = [
  of("<> is documented and not read", "SELECT a FROM demo WHERE a <> 1", /write !=/, "compat"),
  of(
    "JOIN alone is documented and not read",
    "SELECT a FROM l JOIN r ON l.a = r.a GROUP BY COUNTWINDOW(2)",
    /write INNER JOIN/,
    "compat",
  ),
  of(
    "CROSS JOIN has no ON",
    "SELECT a FROM l CROSS JOIN r ON l.a = r.a GROUP BY COUNTWINDOW(2)",
    /CROSS JOIN has no ON/,
  ),
  of("NOT before an expression", "SELECT a FROM demo WHERE NOT a", /eKuiper knows no NOT/, "compat"),
  of("a minus before a column", "SELECT -a AS b FROM demo", /minus only before a number/, "compat"),
  of("|| joins nothing", "SELECT a || b AS c FROM demo", /an expression is missing/),
  of("a lone ! is no operator", "SELECT a FROM demo WHERE a ! 1", /write != or NOT/, "strict"),
  of("a text in double quotes could be a name", 'SELECT a FROM demo WHERE b = "x"', /'…' for a text/, "strict"),
  of("groups without a window", "SELECT count(*) AS n FROM demo", /rows are grouped without a window/, "strict"),
  of("an alias without AS", "SELECT a b FROM demo", /write AS before it/),
  of("a name for *", "SELECT * AS x FROM demo", /\* cannot have a name/),
  of("one window only", "SELECT a FROM demo GROUP BY COUNTWINDOW(2), COUNTWINDOW(3)", /one window only/),
  of(
    "OVER of the wrong window",
    "SELECT a FROM demo GROUP BY COUNTWINDOW(2) OVER (WHEN a > 1)",
    /OVER \(WHEN …\) is of sliding windows/,
  ),
  of(
    "more rows a step than the window has",
    "SELECT a FROM demo GROUP BY COUNTWINDOW(2, 3)",
    /cannot fire every 3 rows of 2/,
  ),
  of("an argument of the wrong kind", "SELECT abs('x') AS y FROM demo", /x must be number, and is string "x"/),
  of("too many arguments", "SELECT abs(1, 2) AS y FROM demo", /abs takes 1 argument and has 2; write abs\(x\)/),
  of("an analytic function inside another", "SELECT lag(lag(a)) AS y FROM demo", /inside another analytic function/),
  of(
    "an aggregate inside another",
    "SELECT sum(count(*)) AS y FROM demo GROUP BY COUNTWINDOW(2)",
    /count adds up rows of a window, which are not there yet/,
  ),
];
