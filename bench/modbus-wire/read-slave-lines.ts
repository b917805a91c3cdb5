import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createBus, createCollect } from "@penstock/edge";
import {
  type AssignedSet,
  type ConnectionUid,
  type DeviceUid,
  defaultLine,
  type EffectiveDevice,
  type EffectiveProperty,
  flagGood,
  type Micros,
  type NodeUid,
  qualityMask,
  type TenantUid,
} from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemChildProcesses, systemClock } from "@penstock/runtime";
import { forkBench } from "../line/forked.ts";
import type { LineFigures } from "./line-watch.ts";
import {
  cycleMs,
  type LineTransport,
  living,
  nameOfLine,
  offsets,
  slaveLines,
  slaves,
  timeoutMs,
} from "./slave-lines.ts";
import type { SlavesAnswer, SlavesAsk } from "./slave-lines-process.ts";

const packages = join(import.meta.dirname, "../../packages");

export interface SlaveLineFigures extends LineFigures {
  /** good values a second of the slaves that live on either line of the kind */
  readonly values: number;
}

/**
 * Reads all lines side by side, as a gateway does: schedule and mapper process, all slaves alive at first. Then a fifth of
 * the slaves die on one line of each kind, and what comes after is measured. @returns by the line's name
 */
export async function readSlaveLines(options: {
  readonly transports: readonly LineTransport[];
  readonly settleMs: number;
  readonly watchMs: number;
}): Promise<ReadonlyMap<string, SlaveLineFigures>> {
  const server = forkBench<SlavesAsk, SlavesAnswer>("../modbus-wire/slave-lines-process.ts");
  const clock = systemClock();
  const metrics = metricsRegistry();
  const bus = createBus({ log: silentLog, metrics });
  const good = new Map<string, number>();
  bus.subscribe({
    ...{ name: "bench", bound: 1000, policy: "wait" },
    take({ layout, count, flags }) {
      let values = count;
      for (let row = 0; row < count; row++) {
        if (flags !== null && ((flags[row] ?? flagGood) & qualityMask) !== (flagGood & qualityMask)) values--;
      }
      good.set(layout.device, (good.get(layout.device) ?? 0) + values);
    },
  });
  const offset = clock.now() - clock.monotonic();
  const collect = createCollect({
    ...{ bus, clock, metrics, files: realFiles(), processes: systemChildProcesses, log: silentLog },
    wallOf: (monotonic) => ({ time: (monotonic + offset) as Micros, uncertain: null }),
    mapperData: `${tmpdir()}/penstock-bench-mappers`,
    mapperFolders: [join(packages, "mappers")],
    hostCommand: { command: process.execPath, args: [join(packages, "mapper-host/src/main.ts")] },
  });
  try {
    for (const transport of options.transports) await server.ask({ t: "open", transport });
    const { settings } = await server.ask({ t: "figures" });
    collect.apply(assignedSet(settings));
    await wait(options.settleMs);
    await server.ask({ t: "die" });
    good.clear();
    await wait(options.watchMs);
    const { figures } = await server.ask({ t: "figures" });
    return new Map(
      Object.entries(figures).map(([name, line]) => {
        const values = living.reduce((sum, unit) => sum + (good.get(deviceUid(name, unit)) ?? 0), 0);
        return [name, { ...line, values: values / line.seconds }];
      }),
    );
  } finally {
    await collect.close();
    await server.stop();
  }
}

const deviceUid = (line: string, unit: number) => `${line}-${unit}` as DeviceUid;

function assignedSet(settings: SlavesAnswer["settings"]): AssignedSet {
  const line = { ...defaultLine, timeoutMs };
  const opened = slaveLines.map(nameOfLine).filter((name) => settings[name] !== undefined);
  const connections = opened.map((name) => ({
    ...{ uid: name as ConnectionUid, name, protocol: "modbus", settings: settings[name]!, line },
  }));
  const devices = opened.flatMap((name) =>
    slaves.map((unit): EffectiveDevice => {
      const uid = deviceUid(name, unit);
      const common = { generation: 1, methods: [], offlineAfterMs: null, custom: {} };
      return { ...common, uid, name: uid, connection: name as ConnectionUid, address: { unitId: unit }, properties };
    }),
  );
  const tenant = { uid: "bench" as TenantUid, name: "bench" };
  return {
    version: 1,
    tenant,
    node: { uid: "bench" as NodeUid, name: "bench", timeZone: "UTC" },
    connections,
    devices,
    rules: [],
  };
}

const properties = offsets.map((offset): EffectiveProperty => {
  const report = { toCloud: true, cadence: null, deadband: null, atLeastMs: null };
  const common = {
    unit: null,
    minimum: null,
    maximum: null,
    publish: null,
    localWrites: "refuse",
    custom: {},
  } as const;
  const visitor = { table: "holding", offset };
  return {
    ...common,
    name: `r${offset}`,
    type: "uint16",
    access: "read",
    visitor,
    collect: { everyMs: cycleMs },
    report,
  };
});
