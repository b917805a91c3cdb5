import { type LineCost, type ReadTerms, readTerms } from "./line-cost.ts";
import { extentOf, type MapperManifest, type SettingsPart } from "./mapper-manifest.ts";
import { costOfRead, planReads, type Range } from "./plan-reads.ts";
import type { Cadence, EffectiveDevice, EffectiveProperty } from "./resources/effective.ts";
import type { LineSettings } from "./resources/line.ts";
import { fieldValue } from "./settings-rules.ts";

const daySeconds = 86_400;

export interface Load {
  /** of the line's time; 100 = it is never silent */
  readonly percent: number;
  readonly requestsPerSecond: number;
  /** in both directions, frames included */
  readonly bytesPerSecond: number;
}
/** What is read of one device together. */
export interface CycleLoad extends Load {
  readonly cadence: Cadence;
  readonly properties: number;
}
export interface DeviceLoad extends Load {
  readonly cycles: readonly CycleLoad[];
}
export interface PredictedLoad extends Load {
  /** by device uid */
  readonly byDevice: ReadonlyMap<string, DeviceLoad>;
}

/**
 * Percent from which a line has little left for what no prediction knows: writes, retries, a device that is silent for the
 * length of a time-out, a mapper's own work between two requests.
 */
export const tightLoadPercent = 80;
export const loadStates = ["free", "tight", "overloaded", "unknown"] as const;
export type LoadState = (typeof loadStates)[number];

/** @param percent predicted; null = nobody can tell */
export function loadState(percent: number | null): LoadState {
  if (percent === null) return "unknown";
  if (percent > 100) return "overloaded";
  return percent >= tightLoadPercent ? "tight" : "free";
}

/**
 * How much of a line's time its devices will take, before anything runs: every read that their mapper will make, planned
 * as the mapper plans it, timed on this line. Writes, retries and silent devices come on top.
 *
 * @param settings of the connection, as given
 * @param roundTripUs measured, where a mapper has
 * @returns null when the mapper does not say what its reads cost, or where its points lie; `whyUnpredicted` says it in words
 */
export function predictLoad(options: {
  readonly manifest: Pick<MapperManifest, "extent" | "cost" | SettingsPart>;
  readonly line: LineSettings;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly devices: readonly Pick<EffectiveDevice, "uid" | "address" | "properties">[];
  readonly roundTripUs?: number;
}): PredictedLoad | null {
  const { manifest, devices } = options;
  const { cost = null } = manifest;
  if (cost === null || manifest.extent === null) return null;
  const byDevice = new Map<string, DeviceLoad>();
  for (const device of devices) {
    const cycles = [...groupsOf(device)].map(({ cadence, properties }): CycleLoad => {
      const areas = [...areasOf(device, properties, { ...options, cost })];
      const times = timesPerSecond(cadence);
      const load = cycleLoad(areas, times);
      return { cadence, properties: properties.length, ...load };
    });
    byDevice.set(device.uid, { ...sumOfLoads(cycles), cycles });
  }
  return { ...sumOfLoads(byDevice.values()), byDevice };
}

/** Why `predictLoad` answers null, for people; null when it does not. @param manifest undefined when there is none */
export function whyUnpredicted(
  protocol: string,
  manifest: Pick<MapperManifest, "extent" | "cost"> | undefined,
): string | null {
  if (manifest === undefined) return `mapper "${protocol}" is not known to the server`;
  if (manifest.extent === null || (manifest.cost ?? null) === null) {
    return `mapper "${protocol}" does not say what its reads cost`;
  }
  return null;
}

export function sumOfLoads(loads: Iterable<Load>): Load {
  let [percent, requestsPerSecond, bytesPerSecond] = [0, 0, 0];
  for (const load of loads) {
    percent += load.percent;
    requestsPerSecond += load.requestsPerSecond;
    bytesPerSecond += load.bytesPerSecond;
  }
  return { percent, requestsPerSecond, bytesPerSecond };
}

interface Group {
  readonly cadence: Cadence;
  readonly properties: EffectiveProperty[];
}

/** As collect reads them: what has one cadence is read together. */
function groupsOf(device: Pick<EffectiveDevice, "properties">): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const property of device.properties) {
    const { collect, access } = property;
    // What the device tells by itself costs the line no question.
    if (collect === null || access === "write" || "subscribe" in collect) continue;
    const key = JSON.stringify(collect);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { cadence: collect, properties: [property] });
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
  device: Pick<EffectiveDevice, "address">,
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

function cycleLoad(areas: readonly Area[], timesPerSecond: number): Load {
  const together = areas[0]?.terms.together;
  if (together === undefined) {
    return sumOfLoads(areas.map(({ ranges, terms }) => areaLoad(ranges, terms, timesPerSecond)));
  }
  const { inFlight } = areas[0]!.terms;
  let [reads, answered, bytes] = [0, 0, 0];
  for (const { ranges, terms } of areas) {
    for (const { length } of planReads(ranges, terms)) {
      const data = Math.ceil(length * terms.bytesEachPlace);
      reads++;
      answered += data + together.bytesEach;
      bytes += data + terms.fixedBytes;
    }
  }
  const questions = Math.ceil(Math.max(reads / together.reads, answered / together.bytes));
  const microseconds = questions * together.questionUs + bytes * together.byteUs;
  return {
    percent: (microseconds * timesPerSecond) / inFlight / 10_000,
    requestsPerSecond: questions * timesPerSecond,
    bytesPerSecond: (bytes + questions * together.questionBytes) * timesPerSecond,
  };
}

function areaLoad(ranges: readonly Range[], terms: ReadTerms, timesPerSecond: number): Load {
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
