import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  BrowsedNode,
  ConnectionUid,
  ErrorCode,
  MapperManifest,
  Micros,
  NodeUid,
  Reading,
  SeriesQuery,
  SeriesStore,
} from "@penstock/model";
import {
  type Clock,
  metricsRegistry,
  type Random,
  realFiles,
  secretBox,
  silentLog,
  systemRandom,
} from "@penstock/runtime";
import { openAuthority } from "../../authority/authority.ts";
import { openStateStore } from "../../store/state/open-state-store.ts";
import type { Notifier } from "../alarm-notices.ts";
import type { ServiceContext } from "../context.ts";
import { createServices } from "../create-services.ts";

/** A clock that a test moves. */
export function testClock(): Clock & { move(ms: number): void } {
  let now = 1_764_000_000_000_000;
  let timers: { at: number; run: () => void }[] = [];
  return {
    now: () => now as Micros,
    monotonic: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs * 1000, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    move(ms) {
      now += ms * 1000;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) timer.run();
    },
  };
}

/** Random numbers that repeat from run to run. */
export function testRandom(): Random {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
  return { number: next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

/** A store that answers what the test put in. */
export function testSeries() {
  const readings: Reading[] = [];
  const queries: SeriesQuery[] = [];
  const store: Pick<SeriesStore, "query" | "latest" | "stats"> = {
    async query(query) {
      queries.push(query);
      const points = readings.filter((r) => r.device === query.device && r.property === query.property);
      return { type: points[0]?.type ?? null, points, truncated: false };
    },
    async latest(_, wanted) {
      return wanted.flatMap(({ device, property }) => {
        const of = readings.filter((r) => r.device === device && r.property === property);
        const last = of.sort((a, b) => a.time - b.time).at(-1);
        return last === undefined ? [] : [last];
      });
    },
    stats: async () => ({ readings: readings.length, hotBatches: 0, chunks: 0, series: 0, bytes: 0 }),
  };
  // Services use these three only; the rest belongs to ingest.
  return { store: store as SeriesStore, readings, queries };
}

export const modbus: MapperManifest = {
  manifest: "penstock.dev/mapper/v1",
  name: "modbus",
  summary: "Test",
  version: "1.0.0",
  sdk: { min: 1, max: 1 },
  main: "./main.ts",
  connection: {
    type: "object",
    additionalProperties: false,
    required: ["host"],
    properties: { host: { type: "string" }, port: { type: "integer", minimum: 1, maximum: 65535 } },
  },
  address: {
    type: "object",
    additionalProperties: false,
    properties: { unitId: { type: "integer", minimum: 0, maximum: 255 } },
  },
  visitor: {
    type: "object",
    additionalProperties: false,
    required: ["table", "offset"],
    properties: { table: { enum: ["coil", "holding"] }, offset: { type: "integer", minimum: 0, maximum: 65535 } },
  },
  method: null,
  custom: null,
  rules: [],
  extent: null,
  permissions: [],
};

/** Services over a real state store in a folder of its own. `restart()` is another process on the same folder. */
export async function testBench({ manifests = [modbus] }: { readonly manifests?: readonly MapperManifest[] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "penstock-services-"));
  const clock = testClock();
  const random = testRandom();
  const series = testSeries();
  const nudges: string[] = [];
  const connected = new Set<NodeUid>();
  const posts: Parameters<Notifier["post"]>[0][] = [];
  const mails: Parameters<Notifier["mail"]>[0][] = [];
  const notifier: Notifier = {
    async post(request) {
      posts.push(request);
    },
    async mail(message) {
      mails.push(message);
    },
  };
  const nudger = {
    assignedChanged: (node: NodeUid) => void nudges.push(`assigned ${node}`),
    desiredChanged: (node: NodeUid) => void nudges.push(`desired ${node}`),
    callsChanged: (node: NodeUid) => void nudges.push(`calls ${node}`),
    alarmActsChanged: (node: NodeUid) => void nudges.push(`alarm acts ${node}`),
    browse: async (
      node: NodeUid,
      connection: ConnectionUid,
      path: readonly string[],
    ): Promise<readonly BrowsedNode[]> => {
      nudges.push(`browse ${node}`);
      return [{ name: "level", path: [...path, "level"], visitor: { connection } }];
    },
    disconnect: (node: NodeUid, code: ErrorCode) => void nudges.push(`disconnect ${node} ${code}`),
    isConnected: (node: NodeUid) => connected.has(node),
  };
  const authority = await openAuthority({ files: realFiles(), folder: join(folder, "authority"), clock, random });
  let keys = [7];
  const open = async () => {
    const state = await openStateStore({ folder, log: silentLog });
    const context: ServiceContext = {
      db: state.db,
      series: series.store,
      clock,
      random,
      log: silentLog,
      metrics: metricsRegistry(),
      nudger,
      authority,
      notifier,
      box: secretBox(
        keys.map((fill) => new Uint8Array(32).fill(fill)),
        systemRandom,
      ),
      manifests,
    };
    const services = createServices(context);
    const first = await services.start();
    return { state, context, services, first };
  };
  const now = await open();
  const bench = {
    ...now,
    folder,
    clock,
    series,
    nudges,
    notifier,
    posts,
    mails,
    connected,
    /** @param newKeys of the secrets from now on: keys of this byte alone, the first seals */
    async restart(newKeys = keys) {
      keys = newKeys;
      await bench.services.close();
      await bench.state.close();
      Object.assign(bench, await open());
    },
    async close() {
      await bench.services.close();
      await bench.state.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return bench;
}
export type TestBench = Awaited<ReturnType<typeof testBench>>;
