import {
  type DeviceUid,
  type EffectiveDevice,
  isForNode,
  type Micros,
  type NodeUid,
  type RuleSpec,
  type SqlRuleSpec,
  type TenantUid,
} from "@penstock/model";
import type { Live } from "./live.ts";
import type { NodeStatuses } from "./node-status.ts";
import { type Row, specOf } from "./resource-rows.ts";
import { labelsOf } from "./rules-of-node.ts";
import type { QueryFacts } from "./why-query.ts";
import type { WhySource } from "./why-sentence.ts";

/** How each stream is that a rule reads at a gateway, as far as the cloud can see it. */
export async function whySources(of: {
  readonly tenant: TenantUid;
  readonly node: Row;
  readonly spec: SqlRuleSpec;
  readonly reads: QueryFacts["reads"];
  readonly devices: readonly EffectiveDevice[];
  /** of the tenant */
  readonly rules: readonly Row[];
  readonly statuses: NodeStatuses;
  readonly live: Live;
}): Promise<WhySource[]> {
  const { tenant, node, spec, devices, rules, statuses, live } = of;
  const found: WhySource[] = [];
  const nothing = { presence: null, last: null, givenBy: null };
  for (const { stream: name, columns } of of.reads) {
    const given = Object.hasOwn(spec.sources ?? {}, name) ? spec.sources![name]! : null;
    // A table gives no results by itself, so none is missed.
    if (given?.lookup !== undefined || given?.table !== undefined) continue;
    if (given !== null) {
      const kind = (["mqtt", "http", "file"] as const).find((one) => given[one] !== undefined) ?? "memory";
      const givenBy = kind === "memory" ? givers({ rules, node, stream: name, columns: [] }) : null;
      found.push({ name, kind, ...nothing, givenBy });
      continue;
    }
    const device = devices.find((one) => one.name === name);
    if (device === undefined) continue;
    const read = device.properties.filter((one) => columns === null || columns.includes(one.name));
    const names = read.map((one) => one.name);
    const values = await live.values.get(tenant, device.uid as DeviceUid, names);
    const readings = [...values.values()];
    const newest = readings.reduce((most, { time }) => Math.max(most, time), Number.NEGATIVE_INFINITY);
    const calculated = read.filter((one) => one.isCalculated === true).map((one) => one.name);
    found.push({
      ...{ name, kind: "device", presence: statuses.device(node.uid as NodeUid, device.uid) },
      last: {
        at: readings.length === 0 ? null : (newest as Micros),
        never: names.filter((one) => !values.has(one)),
        bad: readings.flatMap(({ property, quality, reason }) =>
          quality === "bad" ? [reason === null ? property : `${property} (${reason})`] : [],
        ),
      },
      givenBy: calculated.length === 0 ? null : givers({ rules, node, stream: name, columns: calculated }),
    });
  }
  return found;
}

/** Rules of a gateway that make a stream of its memory, or calculate properties of a device. */
function givers(of: {
  readonly rules: readonly Row[];
  readonly node: Row;
  readonly stream: string;
  readonly columns: readonly string[];
}): string[] {
  const { rules, node, stream, columns } = of;
  const at = { name: node.name, labels: labelsOf(node) };
  return rules.flatMap((row) => {
    const spec = specOf<RuleSpec>(row);
    if (spec.state === "stopped" || !isForNode(spec, at)) return [];
    const gives = spec.actions.some(({ memory, series }) => {
      if (memory !== undefined) return memory.stream === stream;
      if (series === undefined || (series.device !== stream && !series.device.includes("${"))) return false;
      const { properties } = series;
      return properties === undefined || Object.values(properties).some((property) => columns.includes(property));
    });
    return gives ? [row.name] : [];
  });
}
