import {
  type Cadence,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  type Layout,
  layoutOrder,
} from "@penstock/model";
import type { AgentToMapper, DeviceSpecOfMapper, PointSpec } from "@penstock/wire";

/** Properties of one device with one cadence: one layout, one read, one batch. */
export interface CollectGroup {
  readonly id: number;
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  readonly cadence: Cadence;
  /** one object for the group's life, so that later stages recognise it */
  readonly layout: Layout;
  /** in layout order */
  readonly points: readonly PointSpec[];
}

/** Write-only properties are in no group: they are never polled. */
export function groupsOf(
  device: EffectiveDevice,
  connection: EffectiveConnection,
  nextId: () => number,
): CollectGroup[] {
  const byCadence = new Map<string, { readonly cadence: Cadence; readonly members: EffectiveProperty[] }>();
  for (const property of device.properties) {
    const { collect: cadence } = property;
    if (cadence === null || property.access === "write") continue;
    const key = JSON.stringify(cadence);
    const known = byCadence.get(key);
    if (known === undefined) byCadence.set(key, { cadence, members: [property] });
    else known.members.push(property);
  }
  return [...byCadence.values()].map(({ cadence, members }) => {
    const byName = new Map(members.map((property) => [property.name, property]));
    const properties = layoutOrder(members.map(({ name, type }) => ({ name, type })));
    const points = properties.map(({ name }) => pointOf(byName.get(name)!));
    return { id: nextId(), device, connection, cadence, layout: { id: 0, device: device.uid, properties }, points };
  });
}

export function pointOf({ name, type, visitor, custom }: EffectiveProperty): PointSpec {
  return { property: name, type, visitor, ...(Object.keys(custom).length > 0 && { custom }) };
}

/** What a mapper is told of a device. */
export function deviceOf({ uid, address, custom }: EffectiveDevice): DeviceSpecOfMapper {
  return { device: uid, address, ...(Object.keys(custom).length > 0 && { custom }) };
}

export function groupMessage({ id, device, connection, points }: CollectGroup): AgentToMapper {
  return { t: "group", group: id, connection: connection.uid, ...deviceOf(device), points };
}

export function openMessage({ uid, settings, line }: EffectiveConnection): AgentToMapper {
  return { t: "open", connection: uid, settings, line };
}
