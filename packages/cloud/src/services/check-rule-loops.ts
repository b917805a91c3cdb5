import {
  type EffectiveDevice,
  expandRule,
  type FieldError,
  invalid,
  isForNode,
  RuleLoops,
  type RuleSpec,
  type SqlRuleSpec,
} from "@penstock/model";
import { endsAt, loopFault } from "./check-rule-at.ts";
import type { Reader } from "./context.ts";
import type { Row } from "./resource-rows.ts";
import { specOf } from "./resource-rows.ts";
import { devicesNamed, streamsIn } from "./rule-devices.ts";
import { labelsOf, nodesOf, ruleRows } from "./rules-of-node.ts";

/** gateways at which the rules that meet a rule are looked at; the others refuse it themselves, and its status says so */
const nodesMost = 20;
/** rules that are followed at each; beyond, their gateway decides */
const followedMost = 1000;

interface Other {
  readonly name: string;
  readonly spec: SqlRuleSpec;
  /** lower case: what may name a stream or column of it */
  readonly text: string;
}

/**
 * A rule must not be fed with what it gives, by way of other rules that run at the same gateway. Only those are planned that
 * may read what is given: a rule that gives to nobody costs nothing.
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
  const others = rows.flatMap((row) => otherOf(row));
  if (others.length === 0) return;
  const streams = new Set([spec, ...others.map((one) => one.spec)].flatMap((one) => streamsOr(one)));
  const all = await devicesNamed(db, tenant, [...streams]);
  for (const node of (await nodesOf(db, tenant, spec)).slice(0, nodesMost)) {
    const at = { name: node.name, labels: labelsOf(node) };
    const devices = all.filter((one) => one.node === node.name).map(({ device }) => device);
    const here = others.filter((one) => isForNode(one.spec, at));
    const found = loopAt({ name, spec, node: node.name, devices, here });
    if (found !== null) throw invalid([found]);
  }
}

function loopAt(of: {
  readonly name: string;
  readonly spec: SqlRuleSpec;
  readonly node: string;
  readonly devices: readonly EffectiveDevice[];
  readonly here: readonly Other[];
}): FieldError | null {
  const { name, spec, node, devices } = of;
  const ends = endsAt({ name, spec, devices });
  if (ends === null) return null;
  const loops = new RuleLoops();
  let left = of.here;
  let followed = 0;
  let given: readonly string[] = ends.writes;
  while (given.length > 0 && followed < followedMost) {
    const names = given.map(nameIn);
    const next = left.filter(({ text }) => names.some((one) => text.includes(one)));
    left = left.filter((one) => !next.includes(one));
    followed += next.length;
    const found = next.flatMap((one) => endsAt({ name: one.name, spec: one.spec, devices }) ?? []);
    for (const one of found) loops.add(one);
    given = found.flatMap(({ writes }) => writes);
  }
  const path = loops.through(ends);
  return path === null ? null : loopFault(path, node);
}

/** What the text of a rule that reads an end has in it; "": nothing is known. */
function nameIn(end: string): string {
  if (end.startsWith("mqtt:")) return '"mqtt":';
  if (end.startsWith("memory:")) return end.slice("memory:".length).toLowerCase();
  const at = end.indexOf(".");
  const [device, property] = [end.slice(0, at), end.slice(at + 1)];
  return (device === "*" ? (property === "*" ? "" : property) : device).toLowerCase();
}

function otherOf(row: Row): Other[] {
  const spec = specOf<RuleSpec>(row);
  // A rule that gives to no rule is no part of a loop.
  if (spec.state === "stopped" || !givesToRules(spec)) return [];
  const expanded = expandRule(spec);
  const text = `${expanded.sql} ${JSON.stringify(expanded.sources ?? {})}`.toLowerCase();
  return [{ name: row.name, spec: expanded, text }];
}

function givesToRules({ actions }: Pick<RuleSpec, "actions">): boolean {
  return actions.some(({ series, memory, mqtt }) => series !== undefined || memory !== undefined || mqtt !== undefined);
}

/** What is stored can be read, but for rules of a version that read more. */
function streamsOr(spec: SqlRuleSpec): readonly string[] {
  try {
    return streamsIn(spec);
  } catch {
    return [];
  }
}
