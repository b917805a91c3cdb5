import type { SimRandom } from "@penstock/testkit";
import { aggregateFunctions } from "../functions/aggregate/all.ts";
import { analyticFunctions } from "../functions/analytic/all.ts";
import type { Mode } from "../parse/ast.ts";

const windows = [
  ...["TUMBLINGWINDOW(ss, 1)", "TUMBLINGWINDOW(ms, 300)", "TUMBLINGWINDOW(dd, 1)", "HOPPINGWINDOW(ss, 2, 1)"],
  ...["HOPPINGWINDOW(ss, 5, 2)", "SLIDINGWINDOW(ms, 500)", "SLIDINGWINDOW(ms, 900, 400)", "SESSIONWINDOW(ss, 3, 1)"],
  ...["SLIDINGWINDOW(ss, 1) OVER (WHEN a > 3)", "SLIDINGWINDOW(ss, 2) FILTER (WHERE b < 4)", "COUNTWINDOW(5)"],
  ...["COUNTWINDOW(7, 2)", "STATEWINDOW(a > 3, a < 2)", "STATEWINDOW(a > 3)"],
  "STATEWINDOW(a > 3, a < 2) OVER (PARTITION BY b)",
] as const;
const columns = ["a", "b", "t", "flag"] as const;

/** Arguments of each function that takes more than one value: a function that is not here takes one. */
const calls: Readonly<Record<string, string>> = {
  ...{ lag: "lag(#, 2, 0)", latest: "latest(#, 0)", had_changed: "had_changed(true, #, a)" },
  ...{ changed_col: "changed_col(false, #)", acc_sum: "acc_sum(#, a > 1, a > 3)", collect: "collect(*)" },
  ...{ last_value: "last_value(#, true)", deduplicate: "deduplicate(#, true)", merge_agg: "merge_agg(*)" },
  ...{ percentile: "percentile(#, 0.4)", percentile_cont: "percentile_cont(#, 0.5)" },
  ...{ percentile_disc: "percentile_disc(#, 0.5)" },
};

/** A valid rule of any kind that remembers something; each function that does has its turn. */
export function randomRule(random: SimRandom): { readonly sql: string; readonly mode: Mode } {
  const mode = random.pick(["strict", "compat"] as const);
  const call = (names: Iterable<string>) => {
    const name = random.pick([...names]);
    return (calls[name] ?? `${name}(#)`).replace("#", random.pick(columns));
  };
  const analytic = () => {
    const over = random.pick(["", "", " OVER (PARTITION BY b)", " OVER (WHEN a > 1)"]);
    return call(analyticFunctions.keys()) + over;
  };
  const named = (values: readonly string[]) => values.map((value, at) => `${value} AS f${at}`).join(", ");
  const where = random.chance(0.4) ? " WHERE a > 1" : "";
  if (random.chance(0.3)) {
    const more = random.pick(["", ", last_hit_count() AS n", ", last_hit_time() AS n", ", rule_start() AS n"]);
    const cols = random.pick(["", ", changed_cols('c_', true, a, b)", ", changed_cols('', false, *)"]);
    return { mode, sql: `SELECT ${named([analytic(), analytic()])}${more}${cols} FROM demo${where}` };
  }
  const window = random.pick(windows);
  if (random.chance(0.2)) {
    const kind = random.pick(["INNER", "LEFT", "RIGHT", "FULL"]);
    const on = random.pick(["demo.a = other.a", "demo.a = other.a AND demo.b < other.b"]);
    const timed = random.pick(windows.filter((one) => !one.includes(" ") || mode === "strict").slice(0, 8));
    return {
      mode,
      sql: `SELECT demo.a AS x, other.b AS y FROM demo ${kind} JOIN other ON ${on} GROUP BY ${timed}`,
    };
  }
  const aggregate = () => call(aggregateFunctions.keys());
  const keys = random.pick(["", "", "b, ", "b, t, "]);
  const having = random.chance(0.3) ? " HAVING count(*) > 1" : "";
  const values = [aggregate(), aggregate(), ...(random.chance(0.3) ? [analytic()] : [])];
  const more = random.pick(["", ", last_agg_hit_count() AS n", ", window_start() AS n", ", last_agg_hit_time() AS n"]);
  const grouped = `SELECT ${named(values)}${more} FROM demo${where} GROUP BY ${keys}${window}${having}`;
  if (random.chance(0.8)) return { mode, sql: grouped };
  const number = ", row_number() OVER (PARTITION BY b ORDER BY a) AS n, changed_cols('c_', true, a)";
  return { mode, sql: `SELECT a, ${named([analytic()])}${number} FROM demo${where} GROUP BY ${window} ORDER BY b` };
}
