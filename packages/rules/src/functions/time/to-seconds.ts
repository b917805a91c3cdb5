import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { shownAt, timeParam } from "./part-moment.ts";

export const toSeconds = defineFunction({
  name: "to_seconds",
  group: "time",
  summary: "Whole seconds since 1970 UTC",
  params: [timeParam],
  examples: [
    { sql: "to_seconds(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 1_793_536_496n },
    { sql: "to_seconds('1970-01-02')", gives: 86_400n },
    { sql: "to_seconds(-1)", gives: -1n },
    { sql: "to_seconds(t)", of: { t: null }, gives: null },
    { sql: "to_seconds('soon')", gives: { error: /"soon" is no time/ } },
    { sql: "to_seconds(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  run: ([time], context) => BigInt(Math.floor(shownAt("to_seconds", time!, context).ms / 1000)),
});
