import type { SimRandom } from "@penstock/testkit";

const columns = ["a", "b", "t", "flag", "o->x", "l[0]", "`odd name`", "missing"] as const;
const scalars = [
  "abs(#)",
  "ceil(#)",
  "concat(#, 'x')",
  "length(#)",
  "coalesce(#, 1)",
  "cast(#, 'string')",
  "round(#)",
] as const;
const analytics = ["lag(#)", "latest(#, 0)", "had_changed(true, #)", "acc_count(#)", "changed_col(true, #)"] as const;
const aggregates = [
  "count(*)",
  "count(#)",
  "sum(#)",
  "avg(#)",
  "min(#)",
  "max(#)",
  "collect(#)",
  "median(#)",
  "last_value(#, true)",
] as const;
const windows = [
  "TUMBLINGWINDOW(ss, 1)",
  "TUMBLINGWINDOW(ms, 300)",
  "HOPPINGWINDOW(ss, 2, 1)",
  "SLIDINGWINDOW(ms, 500)",
  "SLIDINGWINDOW(ms, 200, 100)",
  "SESSIONWINDOW(ss, 3, 1)",
  "COUNTWINDOW(5)",
  "COUNTWINDOW(7, 2)",
  "STATEWINDOW(a > 3, a < 2)",
] as const;

/** A query that is read; what it calculates may make no sense for a row, which is then an error of that row. */
export function randomQuery(random: SimRandom): string {
  const isWindowed = random.chance(0.6);
  const isGrouped = isWindowed && random.chance(0.6);
  const keys = isGrouped && random.chance(0.5) ? [random.pick(columns)] : [];
  const value = () =>
    isGrouped && random.chance(0.7) ? fill(random.pick(aggregates), random) : expression(random, 3, !isWindowed);
  const fields = Array.from({ length: random.between(1, 4) }, (_, at) => `${value()} AS f${at}`);
  if (!isGrouped && random.chance(0.2)) fields.push("*");
  const where = random.chance(0.6) ? ` WHERE ${condition(random, 2)}` : "";
  const groupBy = isWindowed ? ` GROUP BY ${[...keys, random.pick(windows)].join(", ")}` : "";
  const having =
    isGrouped && random.chance(0.3) ? ` HAVING ${fill(random.pick(aggregates), random)} > ${random.between(0, 5)}` : "";
  const order = isWindowed && random.chance(0.3) ? ` ORDER BY f0${random.chance(0.5) ? " DESC" : ""}` : "";
  return `SELECT ${fields.join(", ")} FROM demo${where}${groupBy}${having}${order}${random.chance(0.2) ? " LIMIT 3" : ""}`;
}

function fill(form: string, random: SimRandom): string {
  return form.replace("#", random.pick(columns));
}

function expression(random: SimRandom, depth: number, mayLookBack: boolean): string {
  if (depth === 0 || random.chance(0.3)) {
    return random.pick([...columns, "1", "2.5", "-3", "'text'", "TRUE", "9223372036854775807"]);
  }
  const inner = () => expression(random, depth - 1, false);
  const kind = random.between(0, 5);
  if (kind === 0) return random.pick(scalars).replace("#", inner());
  if (kind === 1 && mayLookBack) return random.pick(analytics).replace("#", inner());
  if (kind === 2) return `CASE WHEN ${condition(random, 1)} THEN ${inner()} ELSE ${inner()} END`;
  return `(${inner()} ${random.pick(["+", "-", "*", "/", "%"])} ${inner()})`;
}

function condition(random: SimRandom, depth: number): string {
  const value = () => expression(random, 1, false);
  if (depth > 0 && random.chance(0.4)) {
    return `(${condition(random, depth - 1)} ${random.pick(["AND", "OR"])} ${condition(random, depth - 1)})`;
  }
  const forms = [
    `${value()} ${random.pick(["=", "!=", "<", ">="])} ${value()}`,
    `${value()} BETWEEN 1 AND 5`,
    `${value()} IN (1, 2, 'a')`,
    `${random.pick(columns)} LIKE '%a_'`,
    "flag",
  ];
  return random.pick(forms);
}

/** A message with any of the columns, each of any type. */
export function randomMessage(random: SimRandom): { [name: string]: unknown } {
  const values = [null, true, false, 0, -1, 7, 2.5, 1e300, "a", "bax", "", [1, 2], { x: 3 }] as const;
  const message: { [name: string]: unknown } = {};
  for (const name of ["a", "b", "t", "flag", "o", "l", "odd name"]) {
    if (random.chance(0.8))
      message[name] = random.chance(0.7) && (name === "a" || name === "b") ? random.between(0, 9) : random.pick(values);
  }
  return message;
}

/** The text with a few places cut, doubled, swapped or filled with what SQL is made of. */
export function mutated(sql: string, random: SimRandom): string {
  const pieces = [
    "(",
    ")",
    ",",
    "'",
    '"',
    "`",
    "->",
    "[",
    "]",
    ":",
    "SELECT",
    "FROM",
    "WHEN",
    "AND",
    "NOT",
    "1",
    ".5",
    "*",
    "/*",
    "--",
    "\\",
    "\u0000",
    "ä",
    " ",
  ] as const;
  let text = sql;
  for (let n = random.between(1, 4); n > 0; n--) {
    const at = random.between(0, text.length);
    const length = random.between(0, 8);
    const kind = random.between(0, 4);
    if (kind === 0) text = text.slice(0, at) + text.slice(at + length);
    else if (kind === 1) text = text.slice(0, at + length) + text.slice(at);
    else if (kind === 2) text = text.slice(0, at) + random.pick(pieces) + text.slice(at);
    else text = text.slice(0, at) + random.pick(pieces) + text.slice(at + length);
  }
  return text;
}
