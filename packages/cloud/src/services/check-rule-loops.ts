import { expandRule, invalid, isForNode, RuleLoops, type RuleSpec, type SqlRuleSpec, writesOf } from "@penstock/model";
import { outputColumns } from "@penstock/rules";
import { endsAt, loopFault } from "./check-rule-at.ts";
import type { Reader } from "./context.ts";
import { type Row, specOf } from "./resource-rows.ts";
import { devicesNamed, streamsIn } from "./rule-devices.ts";
import { labelsOf, nodesOf, ruleRows } from "./rules-of-node.ts";

/** gateways at which the rules that meet a rule are looked at; the others refuse it themselves, and its status says so */
const nodesMost = 20;
/** rules that are followed; beyond, their gateway decides */
const followedMost = 1000;

interface Other {
  readonly name: string;
  readonly spec: SqlRuleSpec;
}

/**
 * A rule must not be fed with what it gives, by way of other rules that run at the same gateway. Only those are read that may
 * take what is given: a rule that gives to nobody costs nothing, and one among thousands little.
 *
 * @throws AppError input/invalid with the path and the gateway
 */
export async function checkRuleLoops(of: {
  readonly db: Reader;
  readonly tenant: string;
  readonly name: string;
  readonly spec: SqlRuleSpec;
}): Promise<void> {
  const { db, tenant, name, spec } = of;
  if (spec.state === "stopped" || !givesToRules(spec)) return;
  const rows = (await ruleRows(db, tenant)).filter((row) => row.name !== name);
  const others = fedBy(spec, rows);
  if (others.length === 0) return;
  const streams = new Set([spec, ...others.map((one) => one.spec)].flatMap((one) => streamsIn(one)));
  const all = await devicesNamed(db, tenant, [...streams]);
  for (const node of (await nodesOf(db, tenant, spec)).slice(0, nodesMost)) {
    const devices = all.filter((one) => one.node === node.name).map(({ device }) => device);
    const ends = endsAt({ name, spec, devices });
    if (ends === null) continue;
    const at = { name: node.name, labels: labelsOf(node) };
    const loops = new RuleLoops();
    for (const one of others.filter((one) => isForNode(one.spec, at))) {
      const found = endsAt({ ...one, devices });
      if (found !== null) loops.add(found);
    }
    const path = loops.through(ends);
    if (path !== null) throw invalid([loopFault(path, node.name)]);
  }
}

/** Rules that run and give to others, and that a rule may feed, itself or by way of others: their texts name what they read. */
function fedBy(spec: SqlRuleSpec, rows: readonly Row[]): Other[] {
  let left = rows.map((row) => ({ row, text: row.spec.toLowerCase() }));
  const found: Other[] = [];
  for (let given = givenBy(spec); given.length > 0 && found.length < followedMost; ) {
    const names = given.map(nameIn);
    const isNamed = ({ text }: { readonly text: string }) => names.some((name) => text.includes(name));
    const named = left.filter(isNamed);
    left = left.filter((one) => !isNamed(one));
    const next = named.flatMap(({ row }): Other[] => {
      const other = specOf<RuleSpec>(row);
      if (other.state === "stopped" || !givesToRules(other)) return [];
      const spec = expandRule(other);
      return canBeRead(spec) ? [{ name: row.name, spec }] : [];
    });
    found.push(...next);
    given = next.flatMap((one) => givenBy(one.spec));
  }
  return found;
}

function givenBy({ sql, mode = "strict", actions }: SqlRuleSpec): string[] {
  return writesOf(actions, outputColumns(sql, mode));
}

/** What the text of a rule that reads an end has in it; "": nothing is known. */
function nameIn(end: string): string {
  if (end.startsWith("mqtt:")) return '"mqtt":';
  if (end.startsWith("memory:")) return end.slice("memory:".length).toLowerCase();
  const at = end.indexOf(".");
  const [device, property] = [end.slice(0, at), end.slice(at + 1)];
  return (device === "*" ? (property === "*" ? "" : property) : device).toLowerCase();
}

/** What is stored can, but for rules of a version that read more. */
function canBeRead(spec: SqlRuleSpec): boolean {
  try {
    return streamsIn(spec).length > 0;
  } catch {
    return false;
  }
}

function givesToRules({ actions }: Pick<RuleSpec, "actions">): boolean {
  return actions.some(({ series, memory, mqtt }) => series !== undefined || memory !== undefined || mqtt !== undefined);
}
