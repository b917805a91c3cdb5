import { eachRow } from "./in-turn.ts";
import { jsonOf } from "./row-json.ts";
import type { OpenSink } from "./sink-parts.ts";

/** A line in the gateway's log for each row. */
export const openLog: OpenSink<"log"> = ({ level = "info" }, parts) =>
  eachRow(parts, (row, { number }) => parts.log[level]({ number, row: jsonOf(row) }, "A rule gave"));
