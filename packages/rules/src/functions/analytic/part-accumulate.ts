import type { Mode } from "../../parse/ast.ts";
import type { Value } from "../../value/value.ts";
import type { Accumulator } from "../define-aggregate.ts";
import { type AnalyticFunction, defineAnalytic } from "../define-analytic.ts";
import type { ParamKind } from "../define-function.ts";

/**
 * An aggregate over all rows of a rule so far. With conditions it begins when the first holds and gives null before; when
 * the second holds it ends with this row and begins anew.
 */
export function accumulating(of: {
  readonly name: string;
  readonly summary: string;
  readonly is: ParamKind | readonly ParamKind[];
  readonly examples: AnalyticFunction["examples"];
  start(options: { readonly mode: Mode }): Accumulator;
}): AnalyticFunction {
  const { name, summary, is, examples, start } = of;
  return defineAnalytic({
    ...{ name, summary, examples },
    params: [
      { name: "x", is },
      { name: "start", is: "boolean", isOptional: true },
      { name: "reset", is: "boolean", isOptional: true },
    ],
    start(options) {
      let total = start(options);
      let isOn = false;
      return {
        next([x, begins, ends]) {
          if (begins !== undefined && !isOn) {
            if (begins !== true) return null;
            isOn = true;
          }
          if (x !== null) total.add([x!]);
          const result: Value = total.result();
          if (ends === true) {
            total = start(options);
            isOn = false;
          }
          return result;
        },
        save: () => [total.save(), isOn],
        restore(saved) {
          const [sum, wasOn] = saved as readonly [Value, boolean];
          total.restore(sum);
          isOn = wasOn;
        },
      };
    },
  });
}
