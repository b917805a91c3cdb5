/** Something of eKuiper's SQL and rules that this engine does not have, or has otherwise, and why. At most ten. */
export interface Unsupported {
  readonly what: string;
  readonly why: string;
}

export const unsupported: readonly Unsupported[] = [
  {
    what: "`delay` does not hold up the rule",
    why: "a rule that sleeps holds up all that come after its row; a sliding window with a delay looks ahead without it",
  },
  {
    what: "functions of one's own in JavaScript, Go, Python, Wasm or behind a service",
    why: "code that others write does not run in the gateway's process; an application at the edge takes its place",
  },
  {
    what: "rules as a graph of nodes, with `dedup_trigger`, `switch` and `script`",
    why: "one language for rules: what a graph says, SQL and several rules with `memory` between them say as well",
  },
  {
    what: "FORMAT other than json, with SCHEMAID and DELIMITER",
    why: "rows come from devices with their types; what is packed otherwise is unpacked by the mapper that knows it",
  },
  {
    what: "STRICT_VALIDATION, and DEFAULT for columns",
    why: "a value that does not fit its column stays what it is and is an error where it is used; coalesce gives a default",
  },
  {
    what: "analytic functions in a query that joins",
    why: "they look at the rows of one stream in their order, and joined rows have none; a rule before gives the column",
  },
  {
    what: "concurrency, bufferLength, disableBufferFullDiscard of a rule",
    why: "the same rows in the same order give the same results, so a rule is one walk; the bus before it has the bound",
  },
  {
    what: "planOptimizeStrategy: incremental windows and windowVersion",
    why: "tumbling windows always add up as rows come, and no option changes a result",
  },
  {
    what: "a window that is skipped because its tick came 50 ms late",
    why: "results depend on rows and their times alone; a clock that jumps loses none",
  },
  {
    what: "rows of a memory lookup table that are taken out by their kind (rowkind)",
    why: "a row takes the place of the one with its key; a column that says so, and a WHERE, leave it out",
  },
];
