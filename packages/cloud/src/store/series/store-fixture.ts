/** What the tests of the series store share: a folder, a store in it, and random batches with what they say. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import {
  type BootId,
  batchFromSamples,
  type DeviceUid,
  type Epoch,
  type Layout,
  layoutOrder,
  type Micros,
  type NodeUid,
  readingsOf,
  type Sample,
  type Source,
  type TenantUid,
  type Value,
  type ValueType,
  valueTypes,
} from "@penstock/model";
import { type Clock, metricsRegistry, silentLog } from "@penstock/runtime";
import { encodeBatchBody } from "@penstock/wire";
import { type OpenSeriesStore, openSeriesStore } from "./open-series-store.ts";
import type { StoredReading } from "./read-all-readings.ts";

export const tenant = "t1" as TenantUid;
export const node = "n1" as NodeUid;
export const epoch = "e1" as Epoch;
export const boot = "b1" as BootId;
export const startTime = 1_795_000_000_000_000;

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "penstock-series-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
/** Stands still and never calls back: the tests ask for what time would bring. */
export const stillClock: Clock = { now: () => startTime as Micros, monotonic: () => 0, after: () => () => {} };

export function openStore(folder: string): Promise<OpenSeriesStore> {
  return openSeriesStore({ folder, clock: stillClock, log: silentLog, metrics: metricsRegistry() });
}
export function layoutOf(device: string, types: readonly ValueType[] = valueTypes): Layout {
  return {
    id: 1,
    device: device as DeviceUid,
    properties: layoutOrder(types.map((type, i) => ({ name: `p${i}-${type}`, type }))),
  };
}

/** Random numbers from a seed (mulberry32), so that a failing run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function randomValue(type: ValueType, random: () => number): Value {
  const below = (n: number) => Math.floor(random() * n);
  switch (type) {
    case "bool":
      return random() < 0.5;
    case "int64":
      return BigInt(below(1000)) - 500n + (random() < 0.02 ? 2n ** 62n : 0n);
    case "uint64":
      return BigInt(below(1000)) + (random() < 0.02 ? 2n ** 63n : 0n);
    case "float32":
      return Math.fround(below(1000) / 10);
    case "float64":
      return random() < 0.1 ? random() : below(10_000) / 100;
    case "string":
      return `state ${below(5)}`;
    case "json":
      return { json: { at: below(5), list: [null, true, "ü"] } };
    case "bytes":
      return Uint8Array.from({ length: below(6) }, () => below(256));
    case "int8":
      return below(256) - 128;
    default:
      return below(128);
  }
}

/** A batch with gaps, jitter, late times, bad and uncertain readings now and then. */
export function randomBatch(options: {
  readonly layout: Layout;
  readonly tick: number;
  readonly firstSeq: number;
  readonly random: () => number;
}) {
  const { layout, tick, firstSeq, random } = options;
  const isPartial = random() < 0.2;
  const late = random() < 0.1 ? -20 : 0;
  const samples = layout.properties
    .filter(() => !isPartial || random() < 0.5)
    .map(({ name, type }): Sample => {
      const jitter = random() < 0.3 ? Math.floor(random() * 5) * 1000 : 0;
      const time = (startTime + (tick + late) * 1_000_000 + jitter) as Micros;
      const chance = random();
      if (chance < 0.03) return { property: name, time, value: null, quality: "bad", reason: "mapper/timeout" };
      const value = randomValue(type, random);
      if (chance < 0.05) return { property: name, time, value, quality: "uncertain", reason: "clock/not-set" };
      return { property: name, time, value, quality: "good", reason: null };
    });
  const { batch } = batchFromSamples({ layout, samples });
  const readings = readingsOf(batch).map(
    (reading, row): StoredReading => ({ ...reading, tenant, node, epoch, seq: firstSeq + row }),
  );
  return { firstSeq, count: batch.count, body: encodeBatchBody(batch), readings };
}

/** Commits `ticks` random batches of each layout and gives back what they say. */
export async function fill(
  store: Pick<OpenSeriesStore, "defineLayout" | "commit">,
  source: Source,
  options: { readonly layouts: readonly Layout[]; readonly ticks: number; readonly seed: number },
): Promise<StoredReading[]> {
  const random = seeded(options.seed);
  const readings: StoredReading[] = [];
  let seq = (source.ranges.at(-1)?.[1] ?? 0) + 1;
  let commits: Promise<void>[] = [];
  for (let tick = 0; tick < options.ticks; tick++) {
    for (const layout of options.layouts) {
      const layoutId = await store.defineLayout(tenant, layout);
      const { firstSeq, count, body, readings: said } = randomBatch({ layout, tick, firstSeq: seq, random });
      if (count === 0) continue;
      seq += count;
      readings.push(...said);
      const batches = [{ layoutId, firstSeq, count, body }];
      commits.push(store.commit({ source: source.id, generation: source.generation, batches, ranges: [[1, seq - 1]] }));
    }
    // Some at a time, so that they share a sync as they do in life.
    if (tick % 20 < 19 && tick + 1 < options.ticks) continue;
    await Promise.all(commits);
    commits = [];
  }
  return readings;
}

/** One line a reading, sorted, for comparing two heaps of readings. */
export function lines(readings: Iterable<StoredReading>): string[] {
  return Array.from(readings, (r) => {
    const value = JSON.stringify(r.value, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v));
    return `${r.tenant} ${r.node} ${r.epoch} ${r.seq} ${r.device} ${r.property} ${r.type} ${r.time} ${r.quality} ${r.reason} ${value}`;
  }).sort();
}
