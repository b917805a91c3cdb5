import type { Mode } from "../../parse/ast.ts";
import { effort } from "../../run/effort.ts";
import { defineFunction, type ScalarFunction } from "../define-function.ts";
import { bounded, textOf, textOrAny } from "./part-arguments.ts";

type Spec = Pick<ScalarFunction, "name" | "summary" | "examples"> & { change(text: string, mode: Mode): string };

/** A function that makes one text of another. */
export function textChange({ name, change, ...spec }: Spec): ScalarFunction {
  return defineFunction({
    ...spec,
    name,
    group: "text",
    params: [{ name: "text", is: textOrAny }],
    run: ([text], { mode }) => {
      const before = textOf(text!, { name, param: "text", mode });
      const after = change(before, mode);
      return after.length <= before.length ? after : bounded(name, after);
    },
  });
}

/** Letter by letter, as Go has it: one that becomes several stays as it is. */
export function letterByLetter(text: string, change: (letter: string) => string): string {
  effort.eachChar(text.length << 3);
  let all = "";
  for (const letter of text) {
    const changed = change(letter);
    all += changed.length <= 2 && changed.codePointAt(0)! > 0xffff ? changed : changed.length === 1 ? changed : letter;
  }
  return all;
}
