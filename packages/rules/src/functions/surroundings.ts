/** A function of what is around a row, which the planner knows itself; the cases in testcases/ show what each gives. */
export interface SurroundingFunction {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
}

const of = (name: string, usage: string, summary: string): SurroundingFunction => ({ name, usage, summary });

/** Times are whole milliseconds since 1970 UTC. */
export const surroundingFunctions: readonly SurroundingFunction[] = [
  of(
    "changed_cols",
    "changed_cols(prefix, ignoreNull, column, … | *)",
    "In SELECT only: the columns whose values are others than in the result before, each with the prefix before its name",
  ),
  of("event_time", "event_time()", "When the row happened; in a window the window's end"),
  of("last_agg_hit_count", "last_agg_hit_count()", "How many results HAVING has kept before this one"),
  of("last_agg_hit_time", "last_agg_hit_time()", "When the last result was that HAVING kept; null: none"),
  of("last_hit_count", "last_hit_count()", "How many rows WHERE has kept before this one"),
  of("last_hit_time", "last_hit_time()", "When the last row was that WHERE kept; null: none"),
  of("meta", "meta(key | stream.key | *)", "What is known of the message beside its content, such as its topic"),
  of("mqtt", "mqtt(key)", "The same as meta"),
  of(
    "row_number",
    "row_number() OVER ([PARTITION BY x, …] [ORDER BY x, …])",
    "In SELECT only: the place of a result among those of its window, from 1, by partition and order",
  ),
  of("rule_start", "rule_start()", "When the rule began"),
  of("window_end", "window_end()", "Where the window ends; null outside of one"),
  of("window_start", "window_start()", "Where the window begins; null outside of one"),
  of("window_trigger", "window_trigger()", "When the window was closed; null outside of one"),
];
