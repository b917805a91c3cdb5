import {
  type Collection,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  type Layout,
  layoutOrder,
} from "@penstock/model";
import type { AgentToMapper, DeviceSpecOfMapper, PointSpec } from "@penstock/wire";

/** Properties of one device that are got in one way: one layout, one read or subscription, one batch. */
export interface CollectGroup {
  readonly id: number;
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  /** how its values are got */
  readonly collection: Collection;
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
  const byWay = new Map<string, { readonly collection: Collection; readonly members: EffectiveProperty[] }>();
  for (const property of device.properties) {
    const { collect: collection } = property;
    if (collection === null || property.access === "write") continue;
    const key = JSON.stringify(collection);
    const known = byWay.get(key);
    if (known === undefined) byWay.set(key, { collection, members: [property] });
    else known.members.push(property);
  }
  return [...byWay.values()].map(({ collection, members }) => {
    const byName = new Map(members.map((property) => [property.name, property]));
    const properties = layoutOrder(members.map(({ name, type }) => ({ name, type })));
    const points = properties.map(({ name }) => pointOf(byName.get(name)!));
    return { id: nextId(), device, connection, collection, layout: { id: 0, device: device.uid, properties }, points };
  });
}

export function pointOf({ name, type, visitor, custom }: EffectiveProperty): PointSpec {
  return { property: name, type, visitor, ...(Object.keys(custom).length > 0 && { custom }) };
}

/** What a mapper is told of a device. */
export function deviceOf({ uid, name, address, custom }: EffectiveDevice): DeviceSpecOfMapper {
  return { device: uid, name, address, ...(Object.keys(custom).length > 0 && { custom }) };
}

export function groupMessage({ id, device, connection, points }: CollectGroup): AgentToMapper {
  return { t: "group", group: id, connection: connection.uid, ...deviceOf(device), points };
}

export function openMessage({ uid, settings, line }: EffectiveConnection): AgentToMapper {
  return { t: "open", connection: uid, settings, line };
}
