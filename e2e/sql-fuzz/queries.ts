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
  "bypass(#)",
  "isnull(#)",
  "element_at(l, 0)",
  "cast(#, 'bigint')",
  "format_time(#, 'HH:mm')",
  "regexp_matches(#, '^b.')",
  "json_path_query_first(o, '$.x')",
  "object_construct('k', #)",
  "array_create(#, 1)",
  "get_keyed_state('limit', 'float', #)",
  "date_calc(#, '1h')",
  "last_hit_count()",
  "window_start()",
  "event_time()",
] as const;
const analytics = [
  ...[
    "lag(#)",
    "latest(#, 0)",
    "had_changed(true, #)",
    "acc_count(#)",
    "changed_col(true, #)",
    "acc_max(#, # > 1, # < 0)",
  ],
  ...["lag(#, 2, 0) OVER (PARTITION BY a)", "acc_sum(#) OVER (WHEN b > 2)", "had_changed(false, *)"],
] as const;
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
  "count(*) FILTER (WHERE # > 1)",
  "deduplicate(#, true)",
  "merge_agg(*)",
  "percentile_cont(#, 0.5)",
  "stddev(#)",
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
  "STATEWINDOW(# > 3, # < 2)",
  "STATEWINDOW(# > 5) OVER (PARTITION BY #)",
  "SLIDINGWINDOW(ss, 1) FILTER (WHERE # > 1) OVER (WHEN # > 4)",
  "TUMBLINGWINDOW(dd, 1)",
  "HOPPINGWINDOW(mi, 5, 2)",
] as const;
/** beside the stream demo: another, tables that the rule keeps, and lookup tables */
const joins = ["other", "scanned", "keyed", "memory", "asked"] as const;

/** What a query is over, and the names that its expressions have. */
interface Shape {
  readonly from: string;
  readonly columns: readonly string[];
  readonly isJoined: boolean;
  readonly needsWindow: boolean;
}

const alone: Shape = { from: "demo", columns, isJoined: false, needsWindow: false };

function joined(random: SimRandom): Shape {
  const table = random.pick(joins);
  const isLookup = table === "memory" || table === "asked";
  const kind = random.pick(isLookup ? ["INNER", "LEFT"] : ["INNER", "LEFT", "RIGHT", "FULL", "CROSS"]);
  const on = random.pick(["demo.a = #.a", "demo.a = #.a AND demo.b < #.b", "#.b = demo.a"]).replaceAll("#", table);
  return {
    from: `demo ${kind} JOIN ${table}${kind === "CROSS" ? "" : ` ON ${on}`}`,
    columns: ["demo.a", "demo.b", `${table}.a`, `${table}.b`, "demo.t", `${table}.flag`, "demo.o->x", `${table}.l[0]`],
    isJoined: true,
    needsWindow: table === "other",
  };
}

/** A query that is read; what it calculates may make no sense for a row, which is then an error of that row. */
export function randomQuery(random: SimRandom): string {
  const shape = random.chance(0.25) ? joined(random) : alone;
  const isWindowed = shape.needsWindow || random.chance(0.6);
  const isGrouped = isWindowed && random.chance(0.6);
  const keys = isGrouped && random.chance(0.5) ? [random.pick(shape.columns)] : [];
  const isAnalytic = !isWindowed && !shape.isJoined;
  const value = () =>
    isGrouped && random.chance(0.7)
      ? fill(random.pick(aggregates), shape, random)
      : expression(random, { shape, depth: 3, mayLookBack: isAnalytic });
  const fields = Array.from({ length: random.between(1, 4) }, (_, at) => `${value()} AS f${at}`);
  if (!isGrouped && random.chance(0.2)) fields.push("*");
  if (random.chance(0.1)) fields.push(fill(random.pick(["unnest(#) AS u", "extract(#) AS u"]), shape, random));
  if (random.chance(0.1)) fields.push(fill("changed_cols('c_', true, #, #)", shape, random));
  if (isWindowed && random.chance(0.2))
    fields.push(fill("row_number() OVER (PARTITION BY # ORDER BY # DESC) AS n", shape, random));
  if (random.chance(0.1)) fields.push("f0 AS again");
  const where = random.chance(0.6) ? ` WHERE ${condition(random, shape, 2)}` : "";
  const window = isWindowed ? fill(random.pick(windows), shape, random) : "";
  const groupBy = isWindowed ? ` GROUP BY ${[...keys, window].join(", ")}` : "";
  const having =
    isGrouped && random.chance(0.3)
      ? ` HAVING ${fill(random.pick(aggregates), shape, random)} > ${random.between(0, 5)}`
      : "";
  const order = isWindowed && random.chance(0.3) ? ` ORDER BY f0${random.chance(0.5) ? " DESC" : ""}` : "";
  return `SELECT ${fields.join(", ")} FROM ${shape.from}${where}${groupBy}${having}${order}${random.chance(0.2) ? " LIMIT 3" : ""}`;
}

function fill(form: string, { columns: names }: Shape, random: SimRandom): string {
  return form.replaceAll("#", () => random.pick(names));
}

interface Place {
  readonly shape: Shape;
  readonly depth: number;
  readonly mayLookBack: boolean;
}

function expression(random: SimRandom, { shape, depth, mayLookBack }: Place): string {
  if (depth === 0 || random.chance(0.4)) {
    if (random.chance(0.7)) return random.pick(shape.columns);
    return random.pick(["1", "2.5", "-3", "'text'", "TRUE", "9223372036854775807"]);
  }
  const inner = () => expression(random, { shape, depth: depth - 1, mayLookBack: false });
  const kind = random.between(0, 5);
  if (kind === 0) return ofOne(random.pick(scalars), shape).replaceAll("#", inner());
  if (kind === 1 && mayLookBack) return random.pick(analytics).replaceAll("#", inner());
  if (kind === 2) return `CASE WHEN ${condition(random, shape, 1)} THEN ${inner()} ELSE ${inner()} END`;
  if (kind === 3) return random.pick(shape.columns);
  return `(${inner()} ${random.pick(["+", "-", "*", "/", "%"])} ${inner()})`;
}

/** In a join a column without its source is one of several. */
function ofOne(form: string, { isJoined }: Shape): string {
  return isJoined ? form.replace(/\b([lo]),/, "demo.$1,") : form;
}

function condition(random: SimRandom, shape: Shape, depth: number): string {
  const value = () => expression(random, { shape, depth: 1, mayLookBack: false });
  if (depth > 0 && random.chance(0.4)) {
    return `(${condition(random, shape, depth - 1)} ${random.pick(["AND", "OR"])} ${condition(random, shape, depth - 1)})`;
  }
  const [a, b, t, flag] = shape.isJoined
    ? [shape.columns[0], shape.columns[3], "demo.t", shape.columns[5]]
    : ["a", "b", "t", "flag"];
  const forms = [
    `${value()} ${random.pick(["=", "!=", "<", ">="])} ${value()}`,
    `${a} ${random.pick(["=", "!=", "<", ">="])} ${random.between(0, 9)}`,
    `${b} BETWEEN 1 AND 8`,
    `${value()} IN (1, 2, 'a')`,
    `${t} LIKE '%a_'`,
    `${flag}`,
  ];
  return random.pick(forms);
}

/** A message with any of the columns, each of any type. */
export function randomMessage(random: SimRandom): { [name: string]: unknown } {
  const values = [null, true, false, 0, -1, 7, 2.5, 1e300, "a", "bax", "", [1, 2], { x: 3 }] as const;
  const message: { [name: string]: unknown } = {};
  for (const name of ["a", "b", "t", "flag", "o", "l", "odd name"]) {
    if (random.chance(0.8)) message[name] = random.chance(0.9) ? usual(name, random) : random.pick(values);
  }
  return message;
}

/** What the column mostly is, so that most rows give something. */
function usual(name: string, random: SimRandom): unknown {
  if (name === "t") return random.pick(["a", "bax", ""]);
  if (name === "flag") return random.chance(0.5);
  if (name === "o") return { x: random.between(0, 9) };
  if (name === "l") return [random.between(0, 9), 2];
  return random.between(0, 9);
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
