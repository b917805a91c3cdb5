import type { Mode } from "../../parse/ast.ts";
import type { Value } from "../../value/value.ts";
import { defineFunction, type Example, type ScalarFunction } from "../define-function.ts";
import type { ShownTime } from "./part-calendar.ts";
import { shownAt, timeParam } from "./part-moment.ts";

/** A function that reads one thing from calendar or clock. eKuiper takes null there for an error. */
export function timeField(spec: {
  readonly name: string;
  readonly also?: readonly string[];
  readonly summary: string;
  readonly examples: readonly Example[];
  readonly read: (time: ShownTime, mode: Mode) => Value;
}): ScalarFunction {
  const { read, ...rest } = spec;
  return defineFunction({
    ...rest,
    group: "time",
    params: [timeParam],
    takesNull: true,
    run([time], context) {
      if (time === null && context.mode === "strict") return null;
      return read(shownAt(spec.name, time!, context), context.mode);
    },
  });
}
