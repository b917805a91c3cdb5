import {
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  type Layout,
  layoutOrder,
} from "@penstock/model";
import type { AgentToMapper, PointSpec } from "@penstock/wire";

/** Properties of one device with one cycle time: one layout, one read, one batch. */
export interface CollectGroup {
  readonly id: number;
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  readonly everyMs: number;
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
  const byCycle = new Map<number, EffectiveProperty[]>();
  for (const property of device.properties) {
    const { collectEveryMs: everyMs } = property;
    if (everyMs === null || property.access === "write") continue;
    const list = byCycle.get(everyMs);
    if (list === undefined) byCycle.set(everyMs, [property]);
    else list.push(property);
  }
  return [...byCycle].map(([everyMs, members]) => {
    const byName = new Map(members.map((property) => [property.name, property]));
    const properties = layoutOrder(members.map(({ name, type }) => ({ name, type })));
    const points = properties.map(({ name }) => pointOf(byName.get(name)!));
    return { id: nextId(), device, connection, everyMs, layout: { id: 0, device: device.uid, properties }, points };
  });
}

export function pointOf({ name, type, visitor }: EffectiveProperty): PointSpec {
  return { property: name, type, visitor };
}

export function groupMessage({ id, device, connection, points }: CollectGroup): AgentToMapper {
  return { t: "group", group: id, connection: connection.uid, device: device.uid, address: device.address, points };
}

export function openMessage({ uid, settings }: EffectiveConnection): AgentToMapper {
  return { t: "open", connection: uid, settings };
}
