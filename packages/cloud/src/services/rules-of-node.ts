import { type EffectiveRule, effectiveRule, isForNode, limits, type RuleSpec, type RuleUid } from "@penstock/model";
import type { Reader } from "./context.ts";
import { type Row, specOf } from "./resource-rows.ts";
import type { SpecSecrets } from "./spec-secrets.ts";

/** All rules of a tenant, by name. */
export async function ruleRows(db: Reader, tenant: string): Promise<Row[]> {
  return db
    .selectFrom("resources")
    .selectAll()
    .where("tenant_uid", "=", tenant)
    .where("kind", "=", "Rule")
    .where("deleted_at", "is", null)
    .orderBy("name")
    .execute();
}

export function labelsOf(row: Pick<Row, "labels">): Readonly<Record<string, string>> {
  return JSON.parse(row.labels) as Record<string, string>;
}

/** The rules that a gateway runs, with their secrets; beyond the limit the last by name are left out. */
export async function rulesOf(
  db: Reader,
  of: { readonly tenant: string; readonly node: Row; readonly secrets: Pick<SpecSecrets, "open"> },
): Promise<EffectiveRule[]> {
  const { tenant, node, secrets } = of;
  const at = { name: node.name, labels: labelsOf(node) };
  const rows = (await ruleRows(db, tenant)).filter((row) => isForNode(specOf<RuleSpec>(row), at));
  return rows
    .slice(0, limits.rulesPerNode)
    .map((row) =>
      effectiveRule({ uid: row.uid as RuleUid, name: row.name, generation: row.generation, spec: secrets.open(row) }),
    );
}

/** The gateways that a rule is for, by name; names that are no gateway are left out. */
export async function nodesOf(db: Reader, tenant: string, spec: Pick<RuleSpec, "nodes">): Promise<Row[]> {
  const rows = await db
    .selectFrom("resources")
    .selectAll()
    .where("tenant_uid", "=", tenant)
    .where("kind", "=", "Node")
    .where("deleted_at", "is", null)
    .orderBy("name")
    .execute();
  return rows.filter((row) => isForNode(spec, { name: row.name, labels: labelsOf(row) }));
}
