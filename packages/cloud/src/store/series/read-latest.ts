import { type DeviceUid, qualityOf, type Reading, type TenantUid } from "@penstock/model";
import type { BlockReader } from "./block-reader.ts";
import type { Layouts } from "./layouts.ts";
import type { HotIds } from "./protocol.ts";
import { compareRows, reasonAt, type SeriesRows, valueAt } from "./series-rows.ts";

interface Newest {
  readonly rows: SeriesRows;
  readonly i: number;
}

/** The newest reading by (time, seq) of each series; those without any are left out. */
export function readLatest(
  store: { readonly layouts: Layouts; readonly blocks: BlockReader },
  input: {
    readonly tenant: TenantUid;
    readonly series: readonly { readonly device: DeviceUid; readonly property: string }[];
    readonly hot: readonly HotIds[];
  },
): Reading[] {
  const hotOf = new Map(input.hot.map((entry) => [entry.layout, entry]));
  return input.series.flatMap(({ device, property }): Reading[] => {
    let newest: Newest | null = null;
    const offer = (rows: SeriesRows | null) => {
      for (let i = 0; rows !== null && i < rows.count; i++) {
        if (newest === null || compareRows(rows, i, newest.rows, newest.i) > 0) newest = { rows, i };
      }
    };
    for (const layout of store.layouts.of(input.tenant, device)) {
      const position = layout.positions.get(property);
      if (position === undefined) continue;
      const hot = hotOf.get(layout.id);
      for (let k = 0; hot !== undefined && k < hot.ids.length; k++) {
        if (newest !== null && hot.highest[k]! < timeOf(newest)) break;
        offer(store.blocks.hot(layout, position, [hot.ids[k]!]));
      }
      for (const block of store.blocks.newest(layout.id)) {
        if (newest !== null && block.highest < timeOf(newest)) break;
        offer(store.blocks.rows(block, position));
      }
    }
    return newest === null ? [] : [toReading(newest, device, property)];
  });
}

function timeOf({ rows, i }: Newest): number {
  return rows.times[i]!;
}

function toReading({ rows, i }: Newest, device: DeviceUid, property: string): Reading {
  return {
    device,
    property,
    type: rows.type,
    time: rows.times[i] as Reading["time"],
    value: valueAt(rows, i),
    quality: qualityOf(rows.flags?.[i] ?? 0),
    reason: reasonAt(rows, i),
  };
}
