import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { eventually, TestBench } from "../../e2e/support/penstock.ts";
import { bundle } from "../../tools/bundle.ts";
import { type Bench, row } from "../bench.ts";
import { forkBench } from "../line/forked.ts";
import { agentFlags } from "../memory/memory.ts";
import { figuresOf } from "../memory/process-figures.ts";
import { heldReadings } from "./held-readings.ts";
import type { ServerAnswer } from "./server-process.ts";
import { devices, everyMs, firstUnit, floatsEach } from "./shape.ts";

const node = "gw-01";
const apiVersion = "penstock.dev/v1";

/**
 * From register to durable reading: the gateway as it ships (bundle, flags, mapper in its own process) reads float32 values
 * of ten devices on one line; its cloud has gone, so that all of them wait in the outbox, and nothing else takes processor
 * time. Linux only.
 */
export const modbusCollect: Bench = {
  name: "modbus-collect",
  async *run({ smoke, folder, say }) {
    if (!existsSync("/proc/self/smaps_rollup")) {
      yield row({
        ...{ bench: "modbus-collect", metric: "all", value: null, unit: "values/s", baseline: "", baselineValue: null },
        skipped: "no /proc/PID; needs Linux",
      });
      return;
    }
    const settleMs = smoke ? 0 : 10_000;
    const watchMs = smoke ? 500 : 30_000;
    const server = forkBench<"state", ServerAnswer>("../modbus-collect/server-process.ts");
    const bench = new TestBench();
    try {
      const { port } = await server.ask("state");
      const built = await bundle(join(folder, "dist"));
      const cloud = await bench.startCloud();
      const dataDir = join(bench.folder, node);
      const token = (await said(bench, ["edge", "token", node])).trim();
      await said(bench, ["edge", "join", "--data-dir", dataDir, "--cloud", cloud.address, "--token", token]);
      const main = [join(built.folder, "main.js"), "edge", "--data-dir", dataDir, "--mqtt-port", "0", "-o", "json"];
      const agent = bench.process({ name: node, command: process.execPath, args: [...agentFlags, ...main] });
      const { pid } = (await agent.start()) as { pid: number };
      const documents = documentsOf(port).map((document) => JSON.stringify(document));
      await said(bench, ["apply", "-f", "-"], documents.join("\n---\n"));
      await eventually(
        "values of all devices",
        async () => (await server.ask("state")).values > devices * floatsEach * 2,
      );
      await cloud.process.kill();
      say(`${(devices * floatsEach * 1000) / everyMs} values a second`);
      await wait(settleMs);

      const look = async () => ({
        // Its own readings have the wall's time, which is also this process's.
        wall: Date.now() * 1000,
        at: performance.now(),
        cpu: figuresOf(pid).cpuSeconds,
        answered: (await server.ask("state")).values,
      });
      const before = await look();
      await wait(watchMs);
      const after = await look();
      await agent.stop();
      const accepted = await heldReadings(join(dataDir, "outbox"), before.wall, after.wall);

      const seconds = (after.at - before.at) / 1000;
      const due = (devices * seconds * 1000) / everyMs;
      yield row({
        ...{ bench: "modbus-collect", metric: "values", unit: "values/s", value: accepted / seconds },
        ...{
          baseline: "values that the devices answered",
          baselineValue: (after.answered - before.answered) / seconds,
        },
      });
      yield row({
        ...{ bench: "modbus-collect", metric: "cpu", unit: "% of a core", lowerIsBetter: true },
        ...{ value: ((after.cpu - before.cpu) / seconds) * 100, baseline: "one core", baselineValue: 100 },
      });
      yield row({
        ...{ bench: "modbus-collect", metric: "overruns", unit: "cycles", lowerIsBetter: true },
        // A window cuts each device's cycles at both ends, so less than one each is none.
        ...{ value: Math.max(0, Math.ceil(due - accepted / floatsEach - devices)), baseline: "cycles due" },
        baselineValue: due,
      });
    } finally {
      await bench.close();
      await server.stop();
    }
  },
};

function documentsOf(port: number): object[] {
  const settings = { host: "127.0.0.1", port };
  const properties = Object.fromEntries(
    Array.from({ length: floatsEach }, (_, i) => [
      `f${i}`,
      { type: "float32", visitor: { table: "holding", offset: i * 2 }, collect: { every: `${everyMs}ms` } },
    ]),
  );
  return [
    { apiVersion, kind: "Connection", metadata: { name: "line" }, spec: { node, protocol: "modbus", settings } },
    ...Array.from({ length: devices }, (_, i) => ({
      ...{ apiVersion, kind: "Device", metadata: { name: `d${i}` } },
      spec: { node, connection: "line", address: { unitId: firstUnit + i }, properties },
    })),
  ];
}

/** @throws Error with what the command printed unless it ends with 0 */
async function said(bench: TestBench, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await bench.run(args, { input });
  if (code !== 0) throw new Error(`penstock ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}
