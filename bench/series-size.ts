import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  type DeviceUid,
  type Micros,
  type Reading,
  type ReadingBatch,
  readingsOf,
  type SeriesPoint,
  type SeriesStore,
} from "@penstock/model";
import { plantSignals } from "@penstock/testkit";
import { type Bench, row } from "./bench.ts";
import { benchTenant, openBenchStore, StoreFeeder } from "./bench-store.ts";

/** 8 bytes of time and 8 of value, what a table of plain numbers needs at least; quality not counted. */
const rawBytes = 16;

/**
 * The whole store folder after a checkpoint, divided by the readings in it, on plant-signals. Every series is read back
 * and compared with what was written: a size that lost something would be worth nothing.
 */
export const seriesSize: Bench = {
  name: "series-size",
  async *run({ smoke, folder, say }) {
    const series = smoke ? 40 : 1000;
    // Ends between two blocks for most layouts, so that hot batches weigh in as they do in use.
    const ticks = smoke ? 20 : 7200;
    const store = await openBenchStore(folder);
    const feeder = await StoreFeeder.open(store, "size");
    let readings = 0;
    let begun = performance.now();
    for (const { index, batches } of plantSignals({ series, seed: 1 })) {
      if (index === ticks) break;
      readings += await feeder.commit(batches);
      if (performance.now() - begun > 5000) {
        say(`${index} of ${ticks} ticks written`);
        begun = performance.now();
      }
    }
    await store.sealed();
    await store.checkpoint();
    const bytes = folderBytes(folder);
    const { hotBatches } = await store.stats();
    say(`${readings} readings, ${hotBatches} batches still hot; reading all of it back`);
    await readBack(store, { series, ticks });
    await store.close();
    yield row({
      bench: "series-size",
      metric: "bytes-per-reading",
      value: bytes / readings,
      unit: "bytes",
      baseline: "raw time and value",
      baselineValue: rawBytes,
      lowerIsBetter: true,
    });
  },
};

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Makes the same signals again and holds every reading against the store. @throws Error at the first that differs */
async function readBack(store: SeriesStore, options: { series: number; ticks: number }): Promise<void> {
  const written = new Map<DeviceUid, ReadingBatch[]>();
  for (const { index, batches } of plantSignals({ series: options.series, seed: 1 })) {
    if (index === options.ticks) break;
    for (const batch of batches) {
      const { device } = batch.layout;
      const list = written.get(device);
      if (list === undefined) written.set(device, [batch]);
      else list.push(batch);
    }
  }
  for (const [device, batches] of written) {
    const series = Map.groupBy(batches.flatMap(readingsOf), (reading) => reading.property);
    for (const [property, readings] of series) {
      const found = await store.query({
        ...{ tenant: benchTenant, device, property, aggregate: "raw", points: readings.length + 1 },
        ...{ from: readings[0]!.time, to: (readings.at(-1)!.time + 1) as Micros },
      });
      const isSame = found.points.length === readings.length && readings.every((r, i) => same(r, found.points[i]!));
      if (!isSame) throw new Error(`Series ${device}/${property} does not read back as it was written`);
    }
  }
}

function same(wanted: Reading, found: SeriesPoint): boolean {
  return (
    found.time === wanted.time &&
    Object.is(found.value, wanted.value) &&
    found.quality === wanted.quality &&
    found.reason === wanted.reason
  );
}
