import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { eventually, TestBench } from "../../e2e/support/penstock.ts";
import { bundle } from "../../tools/bundle.ts";
import { type Bench, type BenchRow, row } from "../bench.ts";
import { forkBench } from "../line/forked.ts";
import { BareDevice } from "./bare-device.ts";
import type { PlantAnswer } from "./server-process.ts";
import { SetClient } from "./set-client.ts";
import { devices, firstUnit, floatsEach, levels, setOffset, setUnit } from "./shape.ts";

/** As in `memory`, with room for 10,000 properties while another set of them is being taken over. */
const flags = ["--max-semi-space-size=1", "--max-old-space-size=128"];
const node = "gw-01";
const apiVersion = "penstock.dev/v1";
const connection = "line";
const device = "press";
const property = "force";

/**
 * From the request to the proof: HTTPS to the cloud, on disk there, over the link, on disk at the gateway, written to the
 * device and read back, and the report back up, on disk again at each side. The gateway is the one that ships, and reads
 * ten devices on the same line meanwhile; what it reads goes to the cloud.
 */
export const setLatency: Bench = {
  name: "set-latency",
  async *run({ smoke, folder, say }) {
    const sets = smoke ? 3 : 1000;
    const settleMs = smoke ? 0 : 10_000;
    const plant = forkBench<"state", PlantAnswer>("../set-latency/server-process.ts");
    const bench = new TestBench();
    try {
      const { port } = await plant.ask("state");
      const built = await bundle(join(folder, "dist"));
      const cloud = await bench.startCloud({ args: ["--data-dir", join(folder, "cloud")] });
      const dataDir = join(folder, node);
      const token = (await said(bench, ["edge", "token", node])).trim();
      await said(bench, ["edge", "join", "--data-dir", dataDir, "--cloud", cloud.address, "--token", token]);
      const main = [join(built.folder, "main.js"), "edge", "--data-dir", dataDir, "--mqtt-port", "0", "-o", "json"];
      await bench.process({ name: node, command: process.execPath, args: [...flags, ...main] }).start();
      const bare = await BareDevice.open(port);
      const trustPath = join(dataDir, "trust.pem");
      const client = new SetClient({ ...cloud, trustPath, device, property });

      for (const { name, everyMs, overMs } of levels) {
        const documents = documentsOf(port, everyMs).map((document) => JSON.stringify(document));
        await said(bench, ["apply", "-f", "-"], documents.join("\n---\n"));
        await eventually("a value that is set", async () => (await client.set(-1)) > 0);
        await wait(settleMs);
        const before = { ...(await plant.ask("state")), at: performance.now() };
        const own: number[] = [];
        const took: number[] = [];
        for (let i = 1; i <= sets; i++) {
          // Not in step with the cycles.
          await wait(Math.random() * 20);
          own.push(await bare.setAndReadBack(-i));
          took.push(await client.set(i));
        }
        const after = { ...(await plant.ask("state")), at: performance.now() };
        if (after.held !== sets) throw new Error(`The device holds ${after.held}, ${sets} was set last`);
        const rate = ((after.values - before.values) / (after.at - before.at)) * 1000;
        say(`${name}: ${sets} values set while ${Math.round(rate).toLocaleString("en")} values a second were read`);
        yield* rowsOf(name, { took, own, overMs });
      }
      client.close();
      bare.close();
    } finally {
      await bench.close();
      await plant.stop();
    }
  },
};

function* rowsOf(
  level: string,
  times: { readonly took: number[]; readonly own: number[]; readonly overMs: number | null },
): Generator<BenchRow> {
  const { took, own, overMs } = times;
  const common = { bench: "set-latency", unit: "ms", lowerIsBetter: true } as const;
  for (const percent of [50, 99] as const) {
    yield row({
      ...{ ...common, metric: `p${percent}-${level}`, value: percentile(took, percent) },
      ...{ baseline: "bare socket that writes and reads back", baselineValue: percentile(own, percent) },
    });
  }
  if (overMs === null) return;
  yield row({
    // The median is taken off: a slow moment of the device is not one of the same value's way.
    ...{ ...common, metric: `p99-over-${level}`, value: percentile(took, 99) - percentile(own, 50) },
    ...{ baseline: "the goal", baselineValue: overMs },
  });
}

/** nearest rank */
function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1]!;
}

function documentsOf(port: number, everyMs: number | null): object[] {
  const settings = { host: "127.0.0.1", port };
  const one = (unitId: number, properties: object) => ({ node, connection, address: { unitId }, properties });
  const force = { type: "float32", access: "readWrite", visitor: { table: "holding", offset: setOffset } };
  const documents: object[] = [
    {
      apiVersion,
      kind: "Connection",
      metadata: { name: connection },
      spec: { node, protocol: "modbus", settings },
    },
    {
      ...{ apiVersion, kind: "Device", metadata: { name: device } },
      spec: one(setUnit, { [property]: { ...force, collect: { every: "1s" } } }),
    },
  ];
  if (everyMs === null) return documents;
  const floats = Object.fromEntries(
    Array.from({ length: floatsEach }, (_, i) => [
      `f${i}`,
      { type: "float32", visitor: { table: "holding", offset: i * 2 }, collect: { every: `${everyMs}ms` } },
    ]),
  );
  for (let i = 0; i < devices; i++) {
    documents.push({
      ...{ apiVersion, kind: "Device", metadata: { name: `d${i}` } },
      spec: one(firstUnit + i, floats),
    });
  }
  return documents;
}

/** @throws Error with what the command printed unless it ends with 0 */
async function said(bench: TestBench, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await bench.run(args, { input });
  if (code !== 0) throw new Error(`penstock ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}
