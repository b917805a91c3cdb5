/** The ceiling of the line: the same batches appended straight to the same store, in one process. */
import { systemClock } from "@penstock/runtime";
import { openBenchStore, StoreFeeder } from "../bench-store.ts";
import { recordSignals } from "../signal-batches.ts";
import { serveBench } from "./forked.ts";

export interface StoreAsk {
  readonly folder: string;
  readonly gateways: number;
  readonly seriesEach: number;
  readonly propertiesPerDevice: number;
  readonly ticks: number;
  /** ticks of one gateway in one commit, as many as the line had on average */
  readonly ticksEachCommit: number;
  readonly seconds: number;
}
export interface StoreAnswer {
  readonly readings: number;
  readonly seconds: number;
}

const clock = systemClock();

serveBench<StoreAsk, StoreAnswer>(
  async ({ folder, gateways, seriesEach, propertiesPerDevice, ticks, ticksEachCommit, seconds }) => {
    const store = await openBenchStore(folder);
    const feeders = await Promise.all(
      Array.from({ length: gateways }, async (_, i) => ({
        feeder: await StoreFeeder.open(store, `gateway-${i}`),
        signals: recordSignals({ series: seriesEach, propertiesPerDevice, ticks, seed: i + 1 }),
      })),
    );
    const began = clock.monotonic();
    const end = began + seconds * 1e6;
    let readings = 0;
    await Promise.all(
      feeders.map(async ({ feeder, signals }) => {
        let next = 0;
        const feed = async () => {
          while (clock.monotonic() < end) {
            const from = next;
            next += ticksEachCommit;
            const batches = Array.from({ length: ticksEachCommit }, (_, k) => signals.tick(from + k)).flat();
            const stored = await feeder.commit(batches);
            readings += stored;
          }
        };
        // Two under way, so that the next is there when one returns, as a link has it.
        await Promise.all([feed(), feed()]);
      }),
    );
    await store.sealed();
    const took = (clock.monotonic() - began) / 1e6;
    await store.close();
    return { readings, seconds: took };
  },
  async () => {},
);
