import { type LineCost, type ReadTerms, readTerms } from "./line-cost.ts";
import { extentOf, type MapperManifest, type SettingsPart } from "./mapper-manifest.ts";
import { costOfRead, planReads, type Range } from "./plan-reads.ts";
import type { Cadence, EffectiveDevice, EffectiveProperty } from "./resources/effective.ts";
import type { LineSettings } from "./resources/line.ts";
import { fieldValue } from "./settings-rules.ts";

export interface DeviceLoad {
  /** of the line's time; 100 = it is never silent */
  readonly percent: number;
  readonly requestsPerSecond: number;
  /** in both directions, frames included */
  readonly bytesPerSecond: number;
}
export interface PredictedLoad extends DeviceLoad {
  /** by device uid */
  readonly byDevice: ReadonlyMap<string, DeviceLoad>;
}

const daySeconds = 86_400;
const nothing: DeviceLoad = { percent: 0, requestsPerSecond: 0, bytesPerSecond: 0 };

/**
 * How much of a line's time its devices will take, before anything runs: every read that their mapper will make, planned
 * as the mapper plans it, timed on this line. Writes, retries and silent devices come on top.
 *
 * @param settings of the connection, as given
 * @param roundTripUs measured, where a mapper has
 * @returns null when the mapper does not say what its reads cost, or where its points lie
 */
export function predictLoad(options: {
  readonly manifest: Pick<MapperManifest, "extent" | "cost" | SettingsPart>;
  readonly line: LineSettings;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly devices: readonly EffectiveDevice[];
  readonly roundTripUs?: number;
}): PredictedLoad | null {
  const { manifest, devices } = options;
  const { cost = null } = manifest;
  if (cost === null || manifest.extent === null) return null;
  const byDevice = new Map<string, DeviceLoad>();
  let sum = nothing;
  for (const device of devices) {
    let load = nothing;
    for (const { timesPerSecond, properties } of groupsOf(device)) {
      for (const { terms, ranges } of areasOf(device, properties, { ...options, cost })) {
        load = plus(load, areaLoad(ranges, terms, timesPerSecond));
      }
    }
    byDevice.set(device.uid, load);
    sum = plus(sum, load);
  }
  return { ...sum, byDevice };
}

interface Group {
  readonly timesPerSecond: number;
  readonly properties: EffectiveProperty[];
}

/** As collect reads them: what has one cadence is read together. */
function groupsOf(device: EffectiveDevice): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const property of device.properties) {
    const { collect, access } = property;
    // What the device tells by itself costs the line no question.
    if (collect === null || access === "write" || "subscribe" in collect) continue;
    const key = JSON.stringify(collect);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { timesPerSecond: timesPerSecond(collect), properties: [property] });
    else known.properties.push(property);
  }
  return groups.values();
}

function timesPerSecond(cadence: Cadence): number {
  return "everyMs" in cadence ? 1000 / cadence.everyMs : cadence.atSeconds.length / daySeconds;
}

interface Area {
  readonly terms: ReadTerms;
  readonly ranges: Range[];
}

/** Properties without an extent or a cost are left out: the mapper refuses them, so they take no time. */
function areasOf(
  device: EffectiveDevice,
  properties: readonly EffectiveProperty[],
  options: Parameters<typeof predictLoad>[0] & { readonly cost: LineCost },
): Iterable<Area> {
  const { manifest, cost, line, settings, roundTripUs } = options;
  const areas = new Map<string, Area | null>();
  for (const { visitor, type } of properties) {
    const given = { connection: settings, address: device.address, visitor };
    const extent = extentOf(manifest, given, type);
    if (extent === null) continue;
    let area = areas.get(extent.space);
    if (area === undefined) {
      const fieldOf = (field: string) => fieldValue(manifest, given, field);
      const terms = readTerms(cost, { fieldOf, line, ...(roundTripUs !== undefined && { roundTripUs }) });
      area = terms === null ? null : { terms, ranges: [] };
      areas.set(extent.space, area);
    }
    area?.ranges.push({ start: extent.start, length: extent.length });
  }
  return [...areas.values()].filter((area) => area !== null);
}

function areaLoad(ranges: readonly Range[], terms: ReadTerms, timesPerSecond: number): DeviceLoad {
  let [requests, microseconds, bytes] = [0, 0, 0];
  for (const { length } of planReads(ranges, terms)) {
    requests++;
    microseconds += costOfRead(length, terms.cost);
    bytes += terms.fixedBytes + Math.ceil(length * terms.bytesEachPlace);
  }
  return {
    percent: (microseconds * timesPerSecond) / terms.inFlight / 10_000,
    requestsPerSecond: requests * timesPerSecond,
    bytesPerSecond: bytes * timesPerSecond,
  };
}

function plus(a: DeviceLoad, b: DeviceLoad): DeviceLoad {
  return {
    percent: a.percent + b.percent,
    requestsPerSecond: a.requestsPerSecond + b.requestsPerSecond,
    bytesPerSecond: a.bytesPerSecond + b.bytesPerSecond,
  };
}
