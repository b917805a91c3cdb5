/** Several gateways' halves of the line in one process: outbox with fsync, link over TLS. */
import { sleep, systemClock } from "@penstock/runtime";
import { type RecordedSignals, recordSignals } from "../signal-batches.ts";
import { BenchGateway } from "./bench-gateway.ts";
import type { NodeCredentials } from "./cloud-process.ts";
import { serveBench } from "./forked.ts";

export type GatewaysAsk =
  | {
      readonly t: "open";
      readonly folder: string;
      readonly port: number;
      readonly nodes: readonly NodeCredentials[];
      readonly seriesEach: number;
      readonly propertiesPerDevice: number;
      /** ticks kept in memory */
      readonly ticks: number;
    }
  | { readonly t: "connect" }
  /** appends as fast as the cloud follows; each gateway stays at most `behindTicks` ahead of it */
  | { readonly t: "flood"; readonly seconds: number; readonly behindTicks: number }
  /** appends so many ticks without regard for the cloud */
  | { readonly t: "backlog"; readonly ticks: number }
  /** appends at the pace of a plant: every series once a second, devices spread over the second, until told to stop */
  | { readonly t: "pace" }
  | { readonly t: "stop-pace" };
export interface GatewaysAnswer {
  /** readings appended since the start, all gateways */
  readonly appended: number;
  /** monotonic microseconds when the task began */
  readonly beganAt: number;
}

const clock = systemClock();
let gateways: { gateway: BenchGateway; signals: RecordedSignals; next: number }[] = [];
let port = 0;
let pacing: AbortController | null = null;
let paced: Promise<unknown> = Promise.resolve();

serveBench<GatewaysAsk, GatewaysAnswer>(
  async (ask) => {
    const beganAt = clock.monotonic();
    await perform(ask);
    return { appended: gateways.reduce((sum, { gateway }) => sum + gateway.appended, 0), beganAt };
  },
  async () => {
    pacing?.abort();
    await Promise.all(gateways.map(({ gateway }) => gateway.close()));
  },
);

async function perform(ask: GatewaysAsk): Promise<void> {
  switch (ask.t) {
    case "open":
      port = ask.port;
      gateways = await Promise.all(
        ask.nodes.map(async (credentials, i) => ({
          gateway: await BenchGateway.open({ folder: ask.folder, credentials }),
          signals: recordSignals({ ...ask, series: ask.seriesEach, seed: i + 1 }),
          next: 0,
        })),
      );
      return;
    case "connect":
      await Promise.all(gateways.map(({ gateway }) => gateway.connect(port)));
      return;
    case "flood":
      await flood(ask);
      return;
    case "backlog":
      for (const one of gateways)
        for (let n = 0; n < ask.ticks; n++) await one.gateway.append(one.signals.tick(one.next++));
      return;
    case "pace": {
      const stop = new AbortController();
      pacing = stop;
      paced = Promise.all(gateways.map((one) => pace(one, stop.signal)));
      return;
    }
    case "stop-pace":
      pacing?.abort();
      await paced;
  }
}

/** Ticks of one gateway whose append is under way: what comes while the disk is busy shares the next sync. */
const ticksUnderWay = 8;

async function flood({ seconds, behindTicks }: GatewaysAsk & { t: "flood" }): Promise<void> {
  const end = clock.monotonic() + seconds * 1e6;
  const feed = async (one: (typeof gateways)[number]) => {
    while (clock.monotonic() < end) {
      const batches = one.signals.tick(one.next++);
      const readings = batches.reduce((sum, { count }) => sum + count, 0);
      await one.gateway.append(batches);
      await one.gateway.within(readings * behindTicks);
    }
  };
  await Promise.all(gateways.flatMap((one) => Array.from({ length: ticksUnderWay }, () => feed(one))));
  await Promise.all(gateways.map(({ gateway }) => gateway.within(0)));
}

/** Each device once a second at its own moment, with the time of that moment. */
async function pace(one: (typeof gateways)[number], signal: AbortSignal): Promise<void> {
  const devices = one.signals.tick(0).length;
  let due = clock.monotonic();
  while (!signal.aborted) {
    for (const batch of one.signals.tick(one.next++)) {
      due += 1e6 / devices;
      const waitMs = (due - clock.monotonic()) / 1000;
      if (waitMs > 0) await sleep(clock, waitMs);
      await one.gateway.append([{ ...batch, baseTime: clock.now() }]);
    }
  }
}
