import { defineFunction } from "../define-function.ts";

export const ruleId = defineFunction({
  name: "rule_id",
  group: "rule",
  summary: "The name of the rule that this is part of",
  params: [],
  examples: [
    { sql: "rule_id()", gives: "example" },
    { sql: "concat('rule/', rule_id())", gives: "rule/example" },
    { sql: "RULE_ID() = 'other'", gives: false },
  ],
  run: (_args, context) => context.ruleId,
});
