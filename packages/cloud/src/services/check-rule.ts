import {
  type EffectiveDevice,
  expandRule,
  type FieldError,
  invalid,
  type RuleSpec,
  type SqlRuleSpec,
} from "@penstock/model";
import { checkRuleAt } from "./check-rule-at.ts";
import { checkRuleLoops } from "./check-rule-loops.ts";
import { checkRuleSpec, devicesIn } from "./check-rule-spec.ts";
import type { Reader } from "./context.ts";
import { mustFind } from "./device-references.ts";
import type { Row } from "./resource-rows.ts";
import { devicesNamed, streamsIn } from "./rule-devices.ts";
import { nodesOf } from "./rules-of-node.ts";

/** gateways at which a rule is tried until it fits one; where it fits none of so many, it will hardly fit another */
const triedMost = 20;

/**
 * What must hold for a rule before it is stored: it can be read, and it fits the devices of at least one of its gateways. At
 * the others it is refused, and its status says why. At none of them may it feed itself by way of other rules.
 *
 * @throws AppError input/invalid with line and column of what is wrong with the SQL; resource/missing-reference
 */
export async function checkRule(of: {
  readonly db: Reader;
  readonly tenant: string;
  readonly name: string;
  readonly spec: RuleSpec;
}): Promise<void> {
  const { db, tenant, name } = of;
  const fields = checkRuleSpec(of.spec);
  if (fields.length > 0) throw invalid(fields);
  const spec = expandRule(of.spec);
  if (Array.isArray(spec.nodes)) {
    for (const [i, node] of spec.nodes.entries())
      await mustFind(db, { tenant, kind: "Node", name: node, field: `spec.nodes[${i}]` });
  }
  await findFit({ db, tenant, name, spec });
  await checkRuleLoops({ db, tenant, name, spec });
}

/** The first gateway at which a rule can run, with the devices that it names; null when it is for none yet. @throws as `checkRule` */
export async function findFit(of: {
  readonly db: Reader;
  readonly tenant: string;
  readonly name: string;
  readonly spec: SqlRuleSpec;
}): Promise<{ readonly node: Row; readonly devices: readonly EffectiveDevice[] } | null> {
  const { db, tenant, name, spec } = of;
  const streams = streamsIn(spec);
  const nodes = await nodesOf(db, tenant, spec);
  const all = await devicesNamed(db, tenant, [...new Set([...streams, ...devicesIn(spec)])]);
  let first: FieldError[] | null = null;
  for (const node of nodes.slice(0, triedMost)) {
    const devices = all.filter((one) => one.node === node.name).map(({ device }) => device);
    const found = checkRuleAt({ name, spec, node: node.name, devices });
    if (found.length === 0) return { node, devices };
    first ??= found;
  }
  if (first !== null) throw invalid(first);
  return null;
}
