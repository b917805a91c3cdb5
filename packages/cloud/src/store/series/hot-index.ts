import type { DeviceUid, Micros, TenantUid } from "@penstock/model";
import type { HotIds, HotRow, LayoutRow } from "./protocol.ts";

/**
 * Which hot batches each layout has, so that the hot table needs no index of its own: with one, every batch of ten
 * thousand gateways would dirty another page. Rebuilt from the file at start. A hot id that has been sealed meanwhile does
 * no harm: a reader does not find it and sees the block instead. Ids of a layout come ascending, so that its oldest are
 * all of it up to the last of them, and sealing can hide them with one mark.
 */
interface HotLayout extends LayoutRow {
  ids: number[];
  lowest: number[];
  highest: number[];
  /** when the oldest of them came */
  since: Micros;
}

export function createHotIndex() {
  const byLayout = new Map<number, HotLayout>();
  const byDevice = new Map<string, HotLayout[]>();

  function pick(entry: HotLayout, wanted: (lowest: number, highest: number) => boolean): HotIds {
    return list(
      entry,
      entry.ids.map((_, i) => i).filter((i) => wanted(entry.lowest[i]!, entry.highest[i]!)),
    );
  }
  const list = (entry: HotLayout, places: readonly number[]): HotIds => ({
    layout: entry.id,
    ids: Float64Array.from(places, (i) => entry.ids[i]!),
    highest: Float64Array.from(places, (i) => entry.highest[i]!),
  });
  const of = (tenant: TenantUid, device: DeviceUid) => byDevice.get(`${tenant}/${device}`) ?? [];

  return {
    know(layout: LayoutRow): void {
      if (byLayout.has(layout.id)) return;
      const entry = { ...layout, ids: [], lowest: [], highest: [], since: 0 as Micros };
      const key = `${layout.tenant}/${layout.device}`;
      byLayout.set(layout.id, entry);
      byDevice.set(key, [...(byDevice.get(key) ?? []), entry]);
    },
    layout: (id: number): LayoutRow | null => byLayout.get(id) ?? null,
    /** @returns how many the layout has now */
    add(row: HotRow, now: Micros): number {
      const entry = byLayout.get(row.layout)!;
      if (entry.ids.length === 0) entry.since = now;
      entry.lowest.push(row.lowest);
      entry.highest.push(row.highest);
      return entry.ids.push(row.id);
    },
    /** the oldest `count` of a layout */
    oldest: (layout: number, count: number) => Float64Array.from(byLayout.get(layout)!.ids.slice(0, count)),
    remove(layout: number, gone: Float64Array, now: Micros): void {
      const entry = byLayout.get(layout)!;
      const ids = new Set(gone);
      const stays = (_: unknown, i: number) => !ids.has(entry.ids[i]!);
      entry.lowest = entry.lowest.filter(stays);
      entry.highest = entry.highest.filter(stays);
      entry.ids = entry.ids.filter((id) => !ids.has(id));
      entry.since = now;
    },
    count: (layout: number) => byLayout.get(layout)?.ids.length ?? 0,
    olderThan: (time: Micros) =>
      [...byLayout.values()].filter((e) => e.ids.length > 0 && e.since < time).map((e) => e.id),
    overlapping: (tenant: TenantUid, device: DeviceUid, from: Micros, to: Micros) =>
      of(tenant, device).map((entry) => pick(entry, (lowest, highest) => lowest < to && highest >= from)),
    /** newest first */
    newestFirst: (tenant: TenantUid, device: DeviceUid): HotIds[] =>
      of(tenant, device).map((entry) =>
        list(
          entry,
          entry.ids.map((_, i) => i).sort((a, b) => entry.highest[b]! - entry.highest[a]! || b - a),
        ),
      ),
    endingBefore: (tenant: TenantUid, before: Micros) =>
      [...byLayout.values()]
        .filter((entry) => entry.tenant === tenant && entry.ids.length > 0)
        .map((entry) => pick(entry, (_, highest) => highest < before))
        .filter((hot) => hot.ids.length > 0),
  };
}
export type HotIndex = ReturnType<typeof createHotIndex>;
