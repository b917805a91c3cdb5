import type { Contract, ResponseOf } from "@penstock/api";
import {
  type EffectiveDevice,
  expandRule,
  formatMicros,
  type Micros,
  type NodeSpec,
  type NodeUid,
  type RuleSpec,
  type SqlRuleSpec,
  type TenantUid,
} from "@penstock/model";
import type { Caller, CheckingContext } from "./context.ts";
import type { Live } from "./live.ts";
import type { NodeStatuses } from "./node-status.ts";
import { findRow, type Row, specOf } from "./resource-rows.ts";
import { devicesNamed, streamsIn } from "./rule-devices.ts";
import { ruleStatusAt } from "./rule-status.ts";
import { nodesOf, ruleRows } from "./rules-of-node.ts";
import { notFound, tenantOf } from "./tenant-check.ts";
import { queryFacts } from "./why-query.ts";
import { type WhyAlarm, type WhyFacts, whySilent } from "./why-sentence.ts";
import { whySources } from "./why-sources.ts";

type Why = ResponseOf<Contract["ruleWhys"]["routes"]["get"]>;

/** in one answer, as in the status of a rule */
const nodesTold = 1000;
/** of them those whose devices are looked at; of the others the status decides */
const nodesMost = 100;
const alarmsMost = 1000;

/** Why rules are silent: from what gateways say of them, the last values of what they read, and their query. */
export function createRuleWhys(
  context: CheckingContext,
  parts: { readonly statuses: NodeStatuses; readonly live: Live },
) {
  const { db, clock, random } = context;
  const { statuses, live } = parts;

  /** Those that stand or are shelved, the last raised first. */
  async function alarmsOf(tenant: TenantUid, rule: string): Promise<(WhyAlarm & { readonly node: string })[]> {
    const now = clock.now();
    const rows = await db
      .selectFrom("alarms")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("rule_uid", "=", rule)
      .where((eb) => eb.or([eb("state", "in", ["unacknowledged", "acknowledged"]), eb("shelved_at", "is not", null)]))
      .orderBy("id", "desc")
      .limit(alarmsMost)
      .execute();
    return rows.flatMap(({ alarm, key, state, raised_at, shelved_at, shelved_until, shelved_by, node_uid }) => {
      const isShelved = shelved_at !== null && (shelved_until === null || shelved_until > now);
      if (!isShelved && (state === "returned" || state === "normal")) return [];
      const shelved = isShelved ? { until: shelved_until as Micros | null, by: shelved_by ?? "" } : null;
      return [{ node: node_uid, name: alarm ?? "", key, state, raisedAt: raised_at as Micros, shelved }];
    });
  }

  async function factsAt(of: {
    readonly tenant: TenantUid;
    readonly node: Row;
    readonly rule: Row;
    readonly spec: SqlRuleSpec;
    readonly devices: readonly EffectiveDevice[];
    readonly alarms: readonly WhyAlarm[];
    readonly rules: readonly Row[];
    readonly isClose: boolean;
  }): Promise<WhyFacts> {
    const { tenant, node, rule, spec, devices, alarms } = of;
    const status = ruleStatusAt(statuses, node, rule);
    const { connected, lastSeenAt } = statuses.node(node.uid as NodeUid);
    const tellsFew = statuses.tellsFewRules(node.uid as NodeUid);
    const known: WhyFacts = {
      ...{ status, generation: rule.generation, node: { connected, lastSeenAt, tellsFew }, alarms },
      acts: spec.actions.some((action) => action.alarm === undefined),
      raises: spec.actions.flatMap(({ alarm }) => (alarm === undefined ? [] : [alarm.name])),
      ...{ sources: [], where: null, having: false, trial: null, window: null },
    };
    if (status.state !== "running" || !of.isClose) return known;
    const query = await queryFacts(spec, {
      ...{ devices, timeZone: specOf<NodeSpec>(node).timeZone ?? "UTC", random, now: clock.now() },
      valuesOf: (device, properties) => live.values.get(tenant, device, properties),
    });
    if (query === null) return known;
    const { reads, ...facts } = query;
    return { ...known, ...facts, sources: await whySources({ ...of, reads, statuses, live }) };
  }

  return {
    /** @throws AppError resource/not-found */
    async get(caller: Caller, ref: { readonly tenant: string; readonly name: string }): Promise<Why> {
      const tenant = await tenantOf(db, caller, ref.tenant);
      const rule = await findRow(db, tenant, "Rule", ref.name);
      if (rule === undefined) throw notFound("Rule", ref.name);
      const spec = expandRule(specOf<RuleSpec>(rule));
      const nodes = (await nodesOf(db, tenant, spec)).slice(0, nodesTold);
      const all = await devicesNamed(db, tenant, streamsIn(spec));
      const alarms = await alarmsOf(tenant, rule.uid);
      const rules = await ruleRows(db, tenant);
      const told: Why["nodes"] = [];
      for (const [i, node] of nodes.entries()) {
        const devices = all.filter((one) => one.node === node.name).map(({ device }) => device);
        const here = alarms.filter((one) => one.node === node.uid);
        const at = { tenant, node, rule, spec, devices, alarms: here, rules, isClose: i < nodesMost };
        told.push({ node: node.name, ...whySilent(await factsAt(at)) });
      }
      const why = told.length === 0 ? `it is for no gateway that there is: ${nodesText(spec.nodes)}` : summary(told);
      return { name: rule.name, assigned: told.length > 0, why, nodes: told, at: formatMicros(clock.now()) };
    },
  };
}

function nodesText(nodes: RuleSpec["nodes"]): string {
  if (!("labels" in nodes)) return nodes.join(", ");
  const labels = Object.entries(nodes.labels).map(([label, value]) => `${label}=${value}`);
  return labels.length === 0 ? "all, and there is none" : labels.join(",");
}

/** Of one gateway its sentence; of several how many are silent, and for what. */
function summary(told: Why["nodes"]): string {
  if (told.length === 1) return told[0]!.why;
  const counts = [...Map.groupBy(told, ({ cause }) => cause)].map(([cause, of]) => `${of.length} ${cause}`);
  return `${told.length} gateways: ${counts.join(", ")}`;
}
