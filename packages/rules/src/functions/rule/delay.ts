import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";
import { readDuration } from "../time/part-duration.ts";

export const delay = defineFunction({
  name: "delay",
  group: "rule",
  summary:
    "The value, at once. eKuiper holds up the rule for the duration, milliseconds or a text such as 1s; here no rule ever waits, so only the value is as there. A sliding window with a delay looks ahead without waiting",
  params: [
    { name: "duration", is: ["integer", "text"] },
    { name: "value", is: "any" },
  ],
  takesNull: true,
  examples: [
    { sql: "delay(1000, x)", of: { x: "open" }, gives: "open" },
    { sql: "delay('1s', x)", of: { x: 21.5 }, gives: 21.5 },
    { sql: "delay(1000, x)", of: { x: null }, gives: null },
    { sql: "delay('soon', x)", of: { x: 1n }, gives: { error: /Cannot read the duration "soon"/ } },
    { sql: "delay(-1, x)", of: { x: 1n }, gives: { error: /duration must be from 0, and is -1/ } },
    { sql: "delay(x, 1)", of: { x: true }, gives: { error: /duration must be integer or text, and is boolean true/ } },
  ],
  check([duration], { mode }) {
    if (typeof duration === "string") readDuration(duration, mode);
  },
  run([duration, value], { mode }) {
    if (typeof duration === "string") readDuration(duration, mode);
    else if (typeof duration === "bigint" && duration < 0n)
      throw new RowError(`Cannot call delay: duration must be from 0, and is ${duration}`);
    return value!;
  },
});
