import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { eventually, TestBench } from "../../e2e/support/penstock.ts";
import { bundle } from "../../tools/bundle.ts";
import { type Bench, row } from "../bench.ts";
import { cpuSecondsOf, type Forked, forkBench } from "../line/forked.ts";
import { agentFlags } from "../memory/memory.ts";
import { figuresOf } from "../memory/process-figures.ts";
import { heldReadings } from "../modbus-collect/held-readings.ts";
import { device, type MapperAnswer, type MapperQuestion, properties, protocol } from "./shape.ts";

/** What the design allows the interface to cost while a mapper uses it. */
const budgetMb = 10;
type Mapper = Forked<MapperQuestion, MapperAnswer>;
interface Load {
  readonly each: number;
  readonly callsPerSecond: number | null;
  readonly ms: number;
}
interface Figures extends MapperAnswer {
  readonly cpuPercent: number;
}

/**
 * Reports of a DMI mapper into the gateway as it ships (bundle, flags), as far as the durable outbox; its cloud has gone, so
 * that nothing else takes processor time. Beside it the same calls to a server of grpc-js that only answers.
 * Linux only.
 */
export const dmi: Bench = {
  name: "dmi",
  async *run({ smoke, folder, say }) {
    const bench = "dmi";
    if (!existsSync("/proc/self/smaps_rollup")) {
      const nothing = { value: null, unit: "calls/s", baseline: "", baselineValue: null };
      yield row({ bench, metric: "all", ...nothing, skipped: "no /proc/PID; needs Linux" });
      return;
    }
    const programs = new TestBench();
    const mapper: Mapper = forkBench("../dmi/mapper-process.ts");
    const bare = forkBench<string, null>("../dmi/bare-process.ts", agentFlags);
    try {
      const built = await bundle(join(folder, "dist"));
      const cloud = await programs.startCloud();
      const start = async (node: string, args: readonly string[]) => {
        const dataDir = join(programs.folder, node);
        const token = (await said(programs, ["edge", "token", node])).trim();
        await said(programs, ["edge", "join", "--data-dir", dataDir, "--cloud", cloud.address, "--token", token]);
        const main = [join(built.folder, "main.js"), "edge", "--data-dir", dataDir, "--mqtt-port", "0", "-o", "json"];
        const agent = programs.process({
          ...{ name: node, command: process.execPath, args: [...agentFlags, ...main, ...args] },
        });
        return { agent, dataDir, pid: Number(((await agent.start()) as { pid: number }).pid) };
      };
      const socket = join(programs.folder, "dmi.sock");
      const bareSocket = join(programs.folder, "bare.sock");
      await bare.ask(bareSocket);
      const without = await start("gw-without", []);
      const gateway = await start("gw-01", ["--dmi-socket", socket]);
      await mapper.ask({ t: "register", manager: socket, own: join(programs.folder, "mapper.sock") });
      // The cloud knows the protocol once the gateway has told of its mapper.
      await eventually("the device to be applied", async () => {
        const input = JSON.stringify(document("gw-01"));
        return (await programs.run(["apply", "-f", "-"], { input })).code === 0;
      });
      await eventually("the device to be taken", async () => {
        return (await mapper.ask({ t: "report", manager: socket, each: 1, ms: 1, callsPerSecond: 1 })).refused === 0;
      });
      say("idle");
      await wait(smoke ? 0 : 30_000);
      yield row({
        ...{ bench, metric: "rss-idle", unit: "MB", lowerIsBetter: true },
        value: Math.max(0, figuresOf(gateway.pid).rss - figuresOf(without.pid).rss),
        ...{ baseline: "the budget", baselineValue: budgetMb },
      });

      await without.agent.stop();
      await cloud.process.kill();
      const from = Date.now() * 1000;
      const loaded = (manager: string, pid: number, load: Load) => measured(mapper, { manager, pid, load, say });
      const both = async (load: Load) => {
        // What was compiled for the one kind of call is not yet for the other.
        const warm = { ...load, ms: smoke ? 100 : 3000 };
        const warmed = await loaded(socket, gateway.pid, warm);
        await loaded(bareSocket, bare.pid, warm);
        const theirs = await loaded(bareSocket, bare.pid, load);
        const ours = await loaded(socket, gateway.pid, load);
        return { ours, theirs, told: (warmed.calls + ours.calls) * load.each };
      };
      const ms = smoke ? 200 : 10_000;
      const baseline = "grpc-js, only answering";
      let told = 0;
      for (const { metric, unit, each, callsPerSecond } of [
        { metric: "calls-1", unit: "calls/s", each: 1, callsPerSecond: null },
        { metric: "values-10", unit: "values/s", each: 10, callsPerSecond: null },
        { metric: "cpu-1", unit: "% of a core", each: 1, callsPerSecond: 2000 },
        { metric: "cpu-10", unit: "% of a core", each: 10, callsPerSecond: 500 },
      ]) {
        const { ours, theirs, told: more } = await both({ each, callsPerSecond, ms });
        told += more;
        // On a machine that is busy with other things fewer calls come through than were meant.
        const pick = (one: Figures) =>
          callsPerSecond === null ? one.perSecond * each : (one.cpuPercent / one.perSecond) * callsPerSecond;
        const figures = { value: pick(ours), baseline, baselineValue: pick(theirs) };
        yield row({ bench, metric, unit, ...figures, ...(callsPerSecond !== null && { lowerIsBetter: true }) });
      }
      yield row({
        ...{ bench, metric: "rss-after", unit: "MB", lowerIsBetter: true, value: figuresOf(gateway.pid).rss },
        ...{ baseline: "grpc-js, only answering", baselineValue: figuresOf(bare.pid).rss },
      });
      await gateway.agent.stop();
      const held = await heldReadings(join(gateway.dataDir, "outbox"), from, Number.POSITIVE_INFINITY);
      yield row({
        ...{ bench, metric: "held", unit: "readings", value: held },
        ...{ baseline: "values that were acknowledged", baselineValue: told },
      });
    } finally {
      await mapper.stop();
      await bare.stop();
      await programs.close();
    }
  },
};

async function measured(
  mapper: Mapper,
  of: { readonly manager: string; readonly pid: number; readonly load: Load; say(text: string): void },
): Promise<Figures> {
  const { manager, pid, load, say } = of;
  const before = { at: performance.now(), gateway: cpuSecondsOf(pid), mapper: mapper.cpuSeconds() };
  const answer = await mapper.ask({ t: "report", manager, ...load });
  const percent = (now: number, then: number) => ((now - then) / ((performance.now() - before.at) / 1000)) * 100;
  const cpuPercent = percent(cpuSecondsOf(pid), before.gateway);
  const asker = percent(mapper.cpuSeconds(), before.mapper);
  const { calls, refused, perSecond, p99Ms } = answer;
  if (refused > 0) throw new Error(`${refused} of ${calls + refused} reports were refused`);
  const asked = load.callsPerSecond === null ? "" : ` of ${load.callsPerSecond}`;
  say(
    `${Math.round(perSecond)}${asked} calls/s of ${load.each}, p99 ${p99Ms.toFixed(1)} ms; server ${Math.round(cpuPercent)} %, caller ${Math.round(asker)} % of a core`,
  );
  return { ...answer, cpuPercent };
}

function document(node: string): object {
  const each = { type: "int64", collect: { every: "1s" } };
  return {
    ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: device } },
    spec: { node, connection: { protocol }, properties: Object.fromEntries(properties.map((name) => [name, each])) },
  };
}

/** @throws Error with what the command printed unless it ends with 0 */
async function said(bench: TestBench, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await bench.run(args, { input });
  if (code !== 0) throw new Error(`penstock ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}
