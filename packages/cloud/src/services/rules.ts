import { contract } from "@penstock/api";
import { isForNode, type NodeUid, type RuleSpec, type RuleStatusOfAll } from "@penstock/model";
import { bumpAssigned } from "./assigned.ts";
import { checkRule } from "./check-rule.ts";
import type { CheckingContext, Trx } from "./context.ts";
import { createKindService } from "./kind-service.ts";
import type { NodeStatuses } from "./node-status.ts";
import { specOf } from "./resource-rows.ts";
import { ruleStatusAt } from "./rule-status.ts";
import { labelsOf, nodesOf } from "./rules-of-node.ts";

/** in the status of one rule */
const nodesTold = 1000;

/** Rules. A change reaches every gateway that the rule is for, or was. */
export function createRules(context: CheckingContext, parts: { readonly statuses: NodeStatuses }) {
  const { db, nudger } = context;

  async function reach(trx: Trx, tenant: string, specs: readonly (RuleSpec | null)[]) {
    const touched = new Set<string>();
    for (const spec of specs) {
      if (spec === null) continue;
      for (const { uid } of await nodesOf(trx, tenant, spec)) touched.add(uid);
    }
    for (const uid of touched) await bumpAssigned(trx, tenant, uid);
    return () => {
      for (const uid of touched) nudger.assignedChanged(uid as NodeUid);
    };
  }
  return createKindService<"Rule", RuleSpec, RuleStatusOfAll>(context, {
    kind: "Rule",
    contract: contract.rules,
    scope: "tenant",
    async status(tenant, rows) {
      const nodes = await nodesOf(db, tenant, { nodes: { labels: {} } });
      return rows.map((row) => {
        const spec = specOf<RuleSpec>(row);
        const of = nodes.filter((node) => isForNode(spec, { name: node.name, labels: labelsOf(node) }));
        return { nodes: of.slice(0, nodesTold).map((node) => ruleStatusAt(parts.statuses, node, row)) };
      });
    },
    check: ({ trx, tenant, name, spec }) => checkRule({ db: trx, tenant, name, spec }),
    changed: ({ trx, tenant, spec, before }) => reach(trx, tenant, [spec, before]),
    removing: ({ trx, tenant, spec }) => reach(trx, tenant, [spec]),
  });
}
