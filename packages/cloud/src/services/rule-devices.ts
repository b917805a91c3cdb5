import {
  type DeviceSpec,
  type DeviceUid,
  type EffectiveDevice,
  effectiveDevice,
  invalid,
  mergeDevice,
  type SqlRuleSpec,
} from "@penstock/model";
import { parseQuery } from "@penstock/rules";
import { sqlFault } from "./check-rule-at.ts";
import type { Reader } from "./context.ts";
import { createModelVersions } from "./model-versions.ts";
import { findRows, type Row, specOf } from "./resource-rows.ts";

/** What the query of a rule reads, by name. @throws AppError input/invalid */
export function streamsIn({ sql, mode = "strict" }: SqlRuleSpec): readonly string[] {
  try {
    const { from, joins } = parseQuery(sql, mode);
    return [from, ...joins.map(({ source }) => source)].map(({ name }) => name);
  } catch (error) {
    throw invalid([sqlFault(error)]);
  }
}

/** Devices as gateways know them, and where each is. */
export async function devicesNamed(
  db: Reader,
  tenant: string,
  names: readonly string[],
): Promise<{ readonly node: string; readonly device: EffectiveDevice }[]> {
  const models = createModelVersions(db, tenant);
  const found: { node: string; device: EffectiveDevice }[] = [];
  for (const row of await findRows(db, tenant, "Device", names)) {
    const spec = specOf<DeviceSpec>(row);
    const merged = mergeDevice((await models.of(row.uid, spec))?.spec ?? null, spec);
    found.push({ node: spec.node, device: effective(row, merged) });
  }
  return found;
}

function effective({ uid, name, generation }: Row, merged: ReturnType<typeof mergeDevice>): EffectiveDevice {
  // Rules look at no connection.
  return effectiveDevice({ uid: uid as DeviceUid, name, generation, connection: "" as never, merged });
}
