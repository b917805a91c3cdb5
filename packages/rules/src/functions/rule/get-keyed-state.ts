import { RowError } from "../../value/row-error.ts";
import { shown } from "../../value/value.ts";
import { cast } from "../convert/cast.ts";
import { defineFunction } from "../define-function.ts";

const types = ["bigint", "float", "string", "boolean", "datetime"];

export const getKeyedState = defineFunction({
  name: "get_keyed_state",
  group: "rule",
  summary:
    "What is kept under the key for rules to read, as the type: bigint, float, string, boolean or datetime; the default where nothing is",
  params: [
    { name: "key", is: "text" },
    { name: "type", is: "text" },
    { name: "default", is: "any" },
  ],
  takesNull: true,
  isPure: false,
  examples: [
    { sql: "get_keyed_state('limit', 'bigint', 0)", gives: 42n },
    { sql: "get_keyed_state('limit', 'float', 0)", gives: 42 },
    { sql: "get_keyed_state(k, 'string', 'none')", of: { k: "nothing" }, gives: "none" },
    { sql: "get_keyed_state('when', 'bigint', 0)", gives: 1000n },
    { sql: "get_keyed_state(k, 'bigint', 7)", of: { k: null }, gives: 7n },
    { sql: "get_keyed_state('limit', 'boolean', true)", gives: { error: /Cannot cast string "42" to boolean/ } },
    { sql: "get_keyed_state('limit', 'int', 0)", gives: { error: /there is no type "int", but bigint, float/ } },
  ],
  check([, type]) {
    if (typeof type === "string") checkType(type);
  },
  run([key, type, byDefault], context) {
    checkType(type);
    const found = key === null ? null : (context.host.keyedState?.(key as string) ?? null);
    return found === null ? byDefault! : cast.run([found, type as string], context);
  },
});

function checkType(type: unknown): void {
  if (types.includes(type as string)) return;
  const found = typeof type === "string" ? shown(type) : String(type);
  throw new RowError(`Cannot call get_keyed_state: there is no type ${found}, but ${types.join(", ")}`);
}
