import type { NodeUid, RuleNodeStatus, RuleUid } from "@penstock/model";
import type { NodeStatuses } from "./node-status.ts";
import type { Row } from "./resource-rows.ts";

/** How a rule is at one of its gateways, as that one last said it. */
export function ruleStatusAt(statuses: NodeStatuses, node: Row, rule: Row): RuleNodeStatus {
  const told = statuses.rule(node.uid as NodeUid, rule.uid as RuleUid);
  const none = { generation: null, reason: null, message: null, rowsIn: 0, rowsOut: 0, errors: 0, lastError: null };
  if (told === null) return { node: node.name, state: "unknown", ...none };
  const { rule: _, state, ...health } = told;
  return { node: node.name, state: told.generation < rule.generation ? "waiting" : state, ...health };
}
