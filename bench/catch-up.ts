import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bench, row } from "./bench.ts";
import type { CloudAnswer, CloudAsk } from "./line/cloud-process.ts";
import { forkBench } from "./line/forked.ts";
import type { GatewaysAnswer, GatewaysAsk } from "./line/gateways-process.ts";

const readingsPerSecond = 5000;

/**
 * The line comes back after an outage: the backlog drains while live readings go on at 5,000/s. The outage's readings are
 * appended as fast as the disk takes them, which leaves the same outbox behind as waiting for them would.
 */
export const catchUp: Bench = {
  name: "catch-up",
  async *run({ smoke, folder, outageMinutes, say }) {
    const ticks = smoke ? 3 : Math.ceil(outageMinutes * 60);
    mkdirSync(join(folder, "cloud"));
    const cloud = forkBench<CloudAsk, CloudAnswer>("cloud-process.ts");
    const gateways = forkBench<GatewaysAsk, GatewaysAnswer>("gateways-process.ts");
    try {
      const { port, nodes } = await cloud.ask({ t: "open", folder: join(folder, "cloud"), nodes: ["gateway-0"] });
      const kept = Math.min(ticks, 120);
      const shape = { seriesEach: readingsPerSecond, propertiesPerDevice: 100, ticks: kept };
      await gateways.ask({ t: "open", folder, port, nodes, ...shape });
      const { appended: backlog } = await gateways.ask({ t: "backlog", ticks });
      say(`${backlog} readings wait for the line`);
      await cloud.ask({ t: "watch", highest: backlog });
      const { beganAt } = await gateways.ask({ t: "connect" });
      await gateways.ask({ t: "pace" });
      const { reachedAt, delays } = await cloud.ask({ t: "drained" });
      await gateways.ask({ t: "stop-pace" });
      const seconds = (reachedAt - beganAt) / 1e6;
      say(`drained in ${seconds.toFixed(1)} s, ${delays.length} live batches meanwhile`);
      yield row({
        ...{ bench: "catch-up", metric: "drained", unit: "readings/s", value: backlog / seconds },
        ...{ baseline: "live rate", baselineValue: readingsPerSecond },
      });
      yield row({
        ...{ bench: "catch-up", metric: "live-p99", unit: "ms", value: percentile(delays, 0.99), lowerIsBetter: true },
        ...{ baseline: "bound", baselineValue: 1000 },
      });
    } finally {
      await gateways.stop();
      await cloud.stop();
    }
  },
};

function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
