import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import { checkArgument, countProblem } from "../check-arguments.ts";
import { counted } from "../counted.ts";
import { defineFunction } from "../define-function.ts";
import { bounded } from "./part-size.ts";

export const arrayMap = defineFunction({
  name: "array_map",
  group: "array",
  summary: "What the function of that name, which takes one argument, gives for each element",
  params: [
    { name: "function", is: "text" },
    { name: "array", is: "array" },
  ],
  isPure: false,
  examples: [
    { sql: "array_map('abs', a)", of: { a: [0n, -0.4, -2n] }, gives: [0n, 0.4, 2n] },
    { sql: "array_map('abs', a)", of: { a: [1n, null] }, gives: [1n, null] },
    { sql: "array_map('array_cardinality', a)", of: { a: [[1n], []] }, gives: [1n, 0n] },
    { sql: "array_map('abs', a)", of: { a: null }, gives: null },
    { sql: "array_map('ABS', a)", of: { a: [-1n] }, gives: { error: /there is no function "ABS"/ }, mode: "compat" },
    { sql: "array_map('ABS', a)", of: { a: [-1n] }, gives: [1n], mode: "strict" },
    { sql: "array_map('nothing', a)", of: { a: [1n] }, gives: { error: /there is no function "nothing"/ } },
    { sql: "array_map('repeat', a)", of: { a: [1n] }, gives: { error: /repeat takes 2 arguments and has 1/ } },
    {
      sql: "array_map('abs', a)",
      of: { a: ["x"] },
      gives: { error: /Cannot call abs: x must be number, and is string "x"/ },
    },
    { sql: "array_map('abs', 1)", gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([name, array], context) {
    const spec = context.functionNamed(context.mode === "compat" ? (name as string) : (name as string).toLowerCase());
    if (spec === undefined) throw new RowError(`Cannot call array_map: there is no function "${name}"`);
    const problem = countProblem(spec, 1);
    if (problem !== null) throw new RowError(`Cannot call array_map: ${problem}`);
    const [param] = spec.params;
    const mapped = (array as readonly Value[]).map((one) => {
      const value = checkArgument(spec.name, param!, one);
      return value === null && spec.takesNull !== true ? null : counted(spec.run, [value], context);
    });
    return bounded("array_map", mapped);
  },
});
