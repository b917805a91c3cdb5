import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bench, type BenchOptions, type BenchRow, row } from "./bench.ts";
import type { CloudAnswer, CloudAsk } from "./line/cloud-process.ts";
import { forkBench } from "./line/forked.ts";
import type { GatewaysAnswer, GatewaysAsk } from "./line/gateways-process.ts";
import type { StoreAnswer, StoreAsk } from "./line/store-process.ts";
import { measureCopy } from "./postgres-copy.ts";

interface Scale {
  /** part of the metric's name */
  readonly suffix: string;
  readonly gateways: number;
  readonly seriesEach: number;
  readonly propertiesPerDevice: number;
  /** ticks kept in memory and played again */
  readonly ticks: number;
  readonly seconds: number;
}
interface Measured {
  readonly perSecond: number;
  readonly ticksEachCommit: number;
  readonly cpu: { readonly gateways: number; readonly cloud: number };
}

const smokeScale = { gateways: 2, seriesEach: 100, propertiesPerDevice: 50, ticks: 5, seconds: 0.1 };
/** How far a gateway's outbox may run ahead of the cloud: enough to keep the line full, little enough to stay in memory. */
const behindTicks = 100;

/** Durable ingest: outbox with fsync → TLS link → ingest → committed hot table, sealing included in the time. */
export const ingest: Bench = {
  name: "ingest",
  async *run(options) {
    const { smoke } = options;
    const ten = { gateways: 10, seriesEach: 1000, ticks: 600, seconds: 20 };
    const scales: Scale[] = smoke
      ? [{ ...smokeScale, suffix: "" }]
      : [
          { ...ten, suffix: "", propertiesPerDevice: 1000 },
          { ...ten, suffix: "-small-devices", propertiesPerDevice: 100 },
          { ...ten, suffix: "-100k-series", propertiesPerDevice: 1000, gateways: 100, ticks: 60 },
        ];
    for (const scale of scales) yield* atScale(scale, options);
  },
};

async function* atScale(scale: Scale, options: BenchOptions): AsyncGenerator<BenchRow> {
  const { suffix } = scale;
  const line = await measureLine(scale, options);
  const straight = await measureStore(scale, line.ticksEachCommit, options);
  const measured = { bench: "ingest", value: line.perSecond, unit: "readings/s" } as const;
  yield row({
    ...measured,
    metric: `line${suffix}`,
    baseline: "straight to the same store",
    baselineValue: straight,
  });
  yield row({
    ...{ bench: "ingest", metric: `cpu-gateways${suffix}`, unit: "µs/reading", value: line.cpu.gateways },
    ...{ baseline: "cpu of the cloud", baselineValue: line.cpu.cloud, lowerIsBetter: true },
  });
  if (suffix !== "") return;
  const copied = await measureCopy({ ...options, rowsEachCommit: line.ticksEachCommit * scale.seriesEach });
  yield row({
    ...measured,
    metric: "line-against-copy",
    baseline: "PostgreSQL COPY",
    ...("skipped" in copied
      ? { baselineValue: null, skipped: copied.skipped }
      : { baselineValue: copied.rowsPerSecond }),
  });
}

async function measureLine(scale: Scale, { folder, say }: BenchOptions): Promise<Measured> {
  const own = join(folder, `line${scale.suffix}`);
  mkdirSync(join(own, "cloud"), { recursive: true });
  const cloud = forkBench<CloudAsk, CloudAnswer>("cloud-process.ts");
  const gateways = forkBench<GatewaysAsk, GatewaysAnswer>("gateways-process.ts");
  try {
    const names = Array.from({ length: scale.gateways }, (_, i) => `gateway-${i}`);
    const { port, nodes } = await cloud.ask({ t: "open", folder: join(own, "cloud"), nodes: names });
    const { seriesEach, propertiesPerDevice, ticks } = scale;
    await gateways.ask({ t: "open", folder: own, port, nodes, seriesEach, propertiesPerDevice, ticks });
    await gateways.ask({ t: "connect" });
    say(`${scale.gateways} gateways connected, ${seriesEach} properties each; measuring for ${scale.seconds} s`);
    const cpuBefore = { gateways: gateways.cpuSeconds(), cloud: cloud.cpuSeconds() };
    const { appended, beganAt } = await gateways.ask({ t: "flood", seconds: scale.seconds, behindTicks });
    const { sealedAt, commits } = await cloud.ask({ t: "reached", readings: appended });
    const each = (seconds: number) => (seconds * 1e6) / appended;
    return {
      perSecond: appended / ((sealedAt - beganAt) / 1e6),
      ticksEachCommit: Math.max(1, Math.round(appended / commits / seriesEach)),
      cpu: {
        gateways: each(gateways.cpuSeconds() - cpuBefore.gateways),
        cloud: each(cloud.cpuSeconds() - cpuBefore.cloud),
      },
    };
  } finally {
    await gateways.stop();
    await cloud.stop();
  }
}

async function measureStore(scale: Scale, ticksEachCommit: number, { folder, say }: BenchOptions): Promise<number> {
  const own = join(folder, `store${scale.suffix}`);
  mkdirSync(own);
  say(`straight to the store, ${ticksEachCommit} ticks in a commit`);
  const store = forkBench<StoreAsk, StoreAnswer>("store-process.ts");
  try {
    const done = await store.ask({ ...scale, folder: own, ticksEachCommit });
    return done.readings / done.seconds;
  } finally {
    await store.stop();
  }
}
