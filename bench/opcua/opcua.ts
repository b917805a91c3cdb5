import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { type Bench, type BenchOptions, row } from "../bench.ts";
import { forkBench } from "../line/forked.ts";
import { figuresOf } from "../memory/process-figures.ts";
import type { ServerAnswer } from "./server-process.ts";
import type { ClientAnswer, ClientQuestion } from "./shape.ts";

/** As the agent starts mappers. */
const mapperFlags = ["--max-semi-space-size=1", "--max-old-space-size=128"];

interface Figures {
  readonly toldPerSecond: number;
  readonly cpuPercent: number;
  readonly rssMb: number;
  readonly readPerSecond: number;
}

/** The mapper beside a bare node-opcua client: one after the other, each in its process, at the same server. Linux only. */
export const opcua: Bench = {
  name: "opcua",
  async *run(options) {
    const bench = "opcua";
    if (!existsSync("/proc/self/smaps_rollup")) {
      const nothing = { value: null, unit: "items/s", baseline: "", baselineValue: null };
      yield row({ bench, metric: "all", ...nothing, skipped: "no /proc/PID; needs Linux" });
      return;
    }
    const server = forkBench<"state", ServerAnswer>("../opcua/server-process.ts");
    try {
      const { port } = await server.ask("state");
      const bare = await measured("../opcua/bare-process.ts", port, options);
      const mapper = await measured("../opcua/mapper-process.ts", port, options);
      options.say("1,000 items, each changes ten times a second");
      const of = (metric: string, unit: string, pick: (figures: Figures) => number) => ({
        ...{ bench, metric, unit, value: pick(mapper), baseline: "bare node-opcua client", baselineValue: pick(bare) },
      });
      yield row(of("items", "items/s", ({ toldPerSecond }) => toldPerSecond));
      yield row({ ...of("cpu", "% of a core", ({ cpuPercent }) => cpuPercent), lowerIsBetter: true });
      yield row({ ...of("rss", "MB", ({ rssMb }) => rssMb), lowerIsBetter: true });
      yield row(of("read", "values/s", ({ readPerSecond }) => readPerSecond));
    } finally {
      await server.stop();
    }
  },
};

async function measured(script: string, port: number, { smoke }: BenchOptions): Promise<Figures> {
  const client = forkBench<ClientQuestion, ClientAnswer>(script, mapperFlags);
  try {
    await client.ask({ t: "open", port });
    await wait(smoke ? 0 : 5000);
    const before = { told: (await client.ask({ t: "count" })).told, at: performance.now(), cpu: client.cpuSeconds() };
    await wait(smoke ? 500 : 20_000);
    const { told } = await client.ask({ t: "count" });
    const seconds = (performance.now() - before.at) / 1000;
    const cpuPercent = ((client.cpuSeconds() - before.cpu) / seconds) * 100;
    const rssMb = figuresOf(client.pid).rss;
    const { readPerSecond } = await client.ask({ t: "read", ms: smoke ? 200 : 5000 });
    return { toldPerSecond: (told - before.told) / seconds, cpuPercent, rssMb, readPerSecond };
  } finally {
    await client.stop();
  }
}
