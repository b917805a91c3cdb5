/**
 * One mapper of ours under a DMI manager, started by `penstock mapper dmi`: the one argument is a JSON object with the fields
 * of `Given`. Its first line of output is one JSON object, its last one the counters. It ends when it is
 * told to, or when its standard input ends, which the command holds open: it never outlives that.
 */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { manifestFile } from "@penstock/model";
import { metricsRegistry, pinoLog, realFiles, systemClock, systemRandom } from "@penstock/runtime";
import { loadMapper } from "../load-mapper.ts";
import { serveDmi } from "./serve-dmi.ts";

interface Given {
  readonly mapper: string;
  readonly folder: string;
  readonly managerSocket: string;
  readonly socket: string;
  readonly name: string | null;
  readonly protocol: string | null;
  readonly callsPerSecond: number;
  readonly burst: number;
}

const given = JSON.parse(process.argv[2] ?? "null") as Given | null;
if (given === null) {
  process.stderr.write("Usage: main.ts <JSON>, as penstock mapper dmi gives it\n");
  process.exit(64);
}
await mkdir(given.folder, { recursive: true, mode: 0o700 });
const mapper = await loadMapper(resolve(given.mapper, manifestFile), realFiles());
const metrics = metricsRegistry();
const running = await serveDmi({
  ...given,
  ...{ mapper, metrics, clock: systemClock(), random: systemRandom, pid: process.pid },
  name: given.name ?? `penstock-${mapper.name}`,
  protocol: given.protocol ?? mapper.name,
  log: pinoLog({ level: "info", program: "mapper" }),
});
process.stdout.write(`${JSON.stringify({ mapper: mapper.name, socket: given.socket, pid: process.pid })}\n`);
await new Promise<void>((done) => {
  // More than once: a terminal tells the whole group, and the command passes it on.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => done());
  process.stdin.once("end", done).once("error", done).resume();
});
await running.close();
process.stdout.write(`${JSON.stringify(metrics.totals())}\n`);
process.exit(0);
