import { defineFunction, type ScalarFunction } from "../define-function.ts";
import { textOf, textOrAny } from "./part-arguments.ts";

type Spec = Pick<ScalarFunction, "name" | "summary" | "examples" | "check" | "compiles"> & {
  /** name of the second parameter */
  readonly of: string;
  test(text: string, other: string): boolean;
};

/** A question about two texts. Of null eKuiper says no; in strict mode the answer is null. */
export function textTest({ name, of, test, ...spec }: Spec): ScalarFunction {
  return defineFunction({
    ...spec,
    name,
    group: "text",
    params: [
      { name: "text", is: textOrAny },
      { name: of, is: textOrAny },
    ],
    takesNull: true,
    run: ([text, other], { mode }) => {
      if (text === null || other === null) return mode === "compat" ? false : null;
      return test(textOf(text!, { name, param: "text", mode }), textOf(other!, { name, param: of, mode }));
    },
  });
}
