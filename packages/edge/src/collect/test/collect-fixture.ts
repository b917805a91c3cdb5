import type { TestContext } from "node:test";
import {
  type BootId,
  type Micros,
  manifestVersion,
  type Reading,
  type ReadingBatch,
  readingsOf,
} from "@penstock/model";
import { type Files, metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { createBus } from "../../bus/bus.ts";
import { createCollect } from "../collect.ts";
import type { WallOf } from "../results.ts";
import { FakeProcesses } from "./fake-mapper.ts";

export const boot = "0123456789abcdef0123456789abcdef" as BootId;

const manifest = {
  ...{ manifest: manifestVersion, name: "fake", summary: "Test", version: "1.0.0", sdk: { min: 1, max: 1 } },
  ...{ main: "./main.ts", extent: null, permissions: [] },
  connection: { type: "object", properties: {} },
  address: { type: "object", properties: {} },
  visitor: { type: "object", properties: {} },
};
/** One folder with a broken manifest before the good one. */
const disk: Record<string, string> = {
  "/mappers/broken/mapper.json": "{",
  "/mappers/fake/mapper.json": JSON.stringify(manifest),
};
// Only what looking for manifests needs.
const files = {
  list: (folder: string) => Promise.resolve(folder === "/mappers" ? ["fake", "broken", "readme.md"] : []),
  exists: (path: string) => Promise.resolve(disk[path] !== undefined),
  readAll: (path: string) => Promise.resolve(new TextEncoder().encode(disk[path])),
} as Files;

/** Collect with a bus and mappers in memory, whose time a test moves. */
export function setUpCollect(
  t: TestContext,
  more: { isTrusted?: () => boolean; take?: () => Promise<void>; start?: Micros } = {},
) {
  const clock = new SimClock(more.start === undefined ? {} : { start: more.start });
  const metrics = metricsRegistry();
  const processes = new FakeProcesses(clock);
  const bus = createBus({ log: silentLog, metrics });
  const batches: ReadingBatch[] = [];
  bus.subscribe({
    name: "test",
    bound: 1,
    policy: "wait",
    take: (batch) => {
      batches.push(batch);
      return more.take?.();
    },
  });
  const offset = clock.now() - clock.monotonic();
  const wallOf: WallOf = (monotonic) => {
    const uncertain = more.isTrusted?.() === false ? boot : null;
    return { time: (monotonic + clock.wall() - clock.monotonic()) as Micros, uncertain };
  };
  const collect = createCollect({
    ...{ bus, clock, files, processes, log: silentLog, metrics, wallOf },
    mapperFolders: ["/nowhere", "/mappers"],
    hostCommand: { command: "node", args: ["--flag", "host.ts"] },
    mapperData: "/data/mappers",
  });
  t.after(async () => {
    const closed = collect.close();
    await clock.advanceAsync(10_000);
    await closed;
  });
  const taken = (): Reading[] => batches.splice(0).flatMap(readingsOf);
  return { clock, processes, collect, batches, taken, metrics, offset };
}
