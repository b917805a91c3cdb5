import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { metricsRegistry, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { serveDmi } from "../../packages/mapper-host/src/dmi/serve-dmi.ts";
import { loadMapper } from "../../packages/mapper-host/src/load-mapper.ts";
import { rssAfterMs, rssMayGrow, rssMb } from "./rss.ts";

export interface MapperVerdict {
  readonly seconds: number;
  readonly seed: number;
  /** calls and connections that meant no good */
  readonly noise: number;
  readonly reports: number;
  /** from the manager's being well again until all was reported */
  readonly backMs: number;
  readonly counted: Readonly<Record<string, number>>;
  readonly rssEarlyMb: number;
  readonly rssEndMb: number;
  readonly findings: readonly string[];
}

const manifest = join(import.meta.dirname, "../../packages/mappers/modbus/mapper.json");

/** Our Modbus mapper under a manager that makes noise at both of its ends, and then means well. */
export async function playMapperNoise(options: {
  readonly seconds: number;
  readonly seed: number;
}): Promise<MapperVerdict> {
  const { seconds, seed } = options;
  const folder = mkdtempSync(join(tmpdir(), "penstock-dmi-noise-"));
  const manager = fork(join(import.meta.dirname, "noisy-manager.ts"), [folder, `${seed}`], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(manager, "exit");
  await once(manager, "message");
  const metrics = metricsRegistry();
  const serving = await serveDmi({
    ...{ mapper: await loadMapper(manifest, realFiles()), folder, name: "penstock-modbus", protocol: "modbus" },
    ...{ managerSocket: join(folder, "manager.sock"), socket: join(folder, "mapper.sock") },
    ...{ callsPerSecond: 200, burst: 50, clock: systemClock(), random: systemRandom },
    ...{ log: silentLog, metrics, pid: process.pid },
  });
  try {
    manager.send("go");
    const began = performance.now();
    let rssEarly = 0;
    while (performance.now() - began < seconds * 1000) {
      await wait(200);
      if (rssEarly === 0 && performance.now() - began > rssAfterMs) rssEarly = rssMb();
    }
    const rssEnd = rssMb();
    manager.send("quiet");
    const [said] = (await once(manager, "message")) as [
      Pick<MapperVerdict, "reports" | "backMs" | "findings"> & { made: number },
    ];
    const { reports, backMs, made: noise } = said;
    const findings = [...said.findings];
    if (rssEarly > 0 && rssEnd > rssEarly * rssMayGrow) {
      findings.push(`memory grew from ${rssEarly.toFixed(1)} to ${rssEnd.toFixed(1)} MB`);
    }
    if (reports === 0) findings.push("not one report came");
    const counted = metrics.totals();
    return {
      ...{ seconds, seed, noise, reports, backMs, counted },
      ...{ rssEarlyMb: Math.round(rssEarly), rssEndMb: Math.round(rssEnd), findings },
    };
  } finally {
    await serving.close();
    manager.disconnect();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
}
