import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { firstLoadUnit, loadDevices } from "@penstock/testkit";
import { TestBench } from "../../e2e/support/penstock.ts";
import { bundle } from "../../tools/bundle.ts";
import { type Bench, type BenchRow, row } from "../bench.ts";
import { figuresOf, type ProcessFigures } from "./process-figures.ts";

/** What deploy/ starts the agent with. docs/performance.md, memory. */
export const agentFlags = ["--max-semi-space-size=1", "--max-old-space-size=48"];
const values = 1000;
const node = "gw-01";
/** registers of a plant's device with 1,000 values: two counters of four, 499 floats, 499 integers */
const registers = 8 + 499 * 2 + 499;

interface Figures extends ProcessFigures {
  /** percent of one core while it was watched */
  readonly cpu: number;
}

/** The gateway as it ships: bundle, flags, mapper in its own process, joined over TLS. Linux only. */
export const memory: Bench = {
  name: "memory",
  async *run({ smoke, folder, say }) {
    if (!existsSync("/proc/self/smaps_rollup")) {
      yield row({
        ...{ bench: "memory", metric: "all", value: null, unit: "MB", baseline: "", baselineValue: null },
        skipped: "no /proc/PID/smaps_rollup; needs Linux",
      });
      return;
    }
    const settleMs = smoke ? 0 : 20_000;
    const watchMs = smoke ? 300 : 30_000;
    const bench = new TestBench();
    try {
      const built = await bundle(join(folder, "dist"));
      const plant = await bench.startPlant(["--values", String(values)]);
      const cloud = await bench.startCloud();
      const start = async (name: string, args: readonly string[]): Promise<number> => {
        const made = bench.process({ name, command: process.execPath, args: [...agentFlags, ...args] });
        return Number(((await made.start()) as { pid: number }).pid);
      };
      const barePoller = join(import.meta.dirname, "bare-poller.ts");
      const bare = await start("bare Node", [barePoller]);
      const poller = await start("bare poller", [barePoller, ...[plant.port, firstLoadUnit, registers].map(String)]);

      const dataDir = ["--data-dir", join(bench.folder, node)];
      const token = (await said(bench, ["edge", "token", node])).trim();
      await said(bench, ["edge", "join", ...dataDir, "--cloud", cloud.address, "--token", token]);
      const agent = await start(node, [
        join(built.folder, "main.js"),
        "edge",
        ...dataDir,
        "--mqtt-port",
        "0",
        "-o",
        "json",
      ]);
      say("idle");
      await wait(settleMs);
      const [idle, bareIdle] = await watch([agent, bare], watchMs);
      yield* rowsOf("idle", idle!, "bare Node", bareIdle!);

      const documents = loadDevices({ ...{ host: plant.host, port: plant.port, node }, values, everyMs: 1000 });
      await said(bench, ["apply", "-f", "-"], documents.map((document) => JSON.stringify(document)).join("\n---\n"));
      say(`${values} values a second`);
      await wait(settleMs);
      const [busy, barePolling] = await watch([agent, poller], watchMs);
      yield* rowsOf("1000-values", busy!, "bare Node reading the same registers", barePolling!);
      yield row({
        ...{ bench: "memory", metric: "cpu-1000-values", unit: "% of a core", value: busy!.cpu, lowerIsBetter: true },
        ...{ baseline: "bare Node reading the same registers", baselineValue: barePolling!.cpu },
      });

      await said(bench, ["apply", "-f", "-"], JSON.stringify(aRule(documents)));
      say("a rule over them");
      await wait(settleMs);
      const [withRule] = await watch([agent], watchMs);
      yield row({
        ...{ bench: "memory", metric: "core-rss-a-rule", unit: "MB", value: withRule!.rss, lowerIsBetter: true },
        ...{ baseline: "the same without the rule", baselineValue: busy!.rss },
      });
    } finally {
      await bench.close();
    }
  },
};

/** A count over the first device among them. */
function aRule(documents: readonly object[]): object {
  const device = (documents as { readonly kind: string; readonly metadata: { readonly name: string } }[]).find(
    ({ kind }) => kind === "Device",
  )!.metadata.name;
  const sql = `SELECT count(*) AS n FROM \`${device}\` GROUP BY TUMBLINGWINDOW(ss, 10)`;
  const spec = { nodes: [node], sql, actions: [{ mqtt: { topic: "mean" } }] };
  return { apiVersion: "penstock.dev/v1", kind: "Rule", metadata: { name: "mean" }, spec };
}

function* rowsOf(when: string, ours: Figures, baseline: string, theirs: Figures): Generator<BenchRow> {
  const common = { bench: "memory", unit: "MB", baseline, lowerIsBetter: true } as const;
  yield row({ ...common, metric: `core-rss-${when}`, value: ours.rss, baselineValue: theirs.rss });
  yield row({ ...common, metric: `all-pss-${when}`, value: ours.pss, baselineValue: theirs.pss });
}

async function watch(pids: readonly number[], forMs: number): Promise<Figures[]> {
  const before = pids.map((pid) => ({ ...figuresOf(pid), at: performance.now() }));
  await wait(forMs);
  return pids.map((pid, i) => {
    const { cpuSeconds, at } = before[i]!;
    const after = figuresOf(pid);
    return { ...after, cpu: ((after.cpuSeconds - cpuSeconds) / ((performance.now() - at) / 1000)) * 100 };
  });
}

/** @throws Error with what the command printed unless it ends with 0 */
async function said(bench: TestBench, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await bench.run(args, { input });
  if (code !== 0) throw new Error(`penstock ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}
