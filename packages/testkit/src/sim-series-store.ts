import {
  AppError,
  addRange,
  type BootId,
  type DeviceUid,
  type Epoch,
  type ErrorCode,
  forEachReading,
  type Layout,
  type NodeUid,
  type Ranges,
  type Reading,
  type SeriesCommit,
  type SeriesPoint,
  type SeriesStore,
  type Source,
  sameLayout,
  type TenantUid,
} from "@penstock/model";
import { decodeBatchBody } from "@penstock/wire";

/** A reading with its identity, as the store's files would show it. */
export interface SimStoredReading extends Reading {
  readonly tenant: TenantUid;
  readonly node: NodeUid;
  readonly epoch: Epoch;
  readonly seq: number;
}
export interface SimSeriesStore {
  /** the store as the running process sees it; after `crash()` calls on it never settle, like a dead process's */
  readonly store: SeriesStore;
  /** the cloud's process dies: what was committed stays, whether its caller heard of it or not; `store` is then a new port */
  crash(): void;
  /** the next commit fails as a whole with the code and stores nothing */
  failNextCommit(code: ErrorCode): void;
  /** everything stored, as often as it is stored */
  readings(): readonly SimStoredReading[];
}

interface SimSource {
  readonly id: number;
  readonly tenant: TenantUid;
  readonly node: NodeUid;
  readonly epoch: Epoch;
  generation: number;
  sessionBoot: BootId;
  boot: BootId | null;
  ranges: Ranges;
}

/**
 * The series store's promises in memory, for simulations: commits are atomic, fenced, and there after a crash. It keeps
 * whatever it is handed, twice if told so, so that an ingest that fails to leave out duplicates is found.
 *
 * @param options.step called before and after each change takes effect; the simulator may crash at either
 */
export function simSeriesStore(options: { readonly step?: (name: string) => Promise<void> } = {}): SimSeriesStore {
  const { step = () => Promise.resolve() } = options;
  const sources: SimSource[] = [];
  const layouts: { readonly tenant: TenantUid; readonly layout: Layout }[] = [];
  const stored: SimStoredReading[] = [];
  let failure: ErrorCode | null = null;
  let life = 0;
  let store = portOf();

  function apply(commit: SeriesCommit): void {
    if (failure !== null) {
      const code = failure;
      failure = null;
      throw new AppError(code, "Cannot commit to the simulated store");
    }
    const source = sources[commit.source - 1];
    if (source?.generation !== commit.generation) {
      throw new AppError("ingest/fenced", `Cannot commit to source ${commit.source}: it has a newer session`);
    }
    const { tenant, node, epoch } = source;
    // All of them before any is kept: a commit is whole or nothing.
    const readings: SimStoredReading[] = [];
    for (const { layoutId, firstSeq, body } of commit.batches) {
      const known = layouts[layoutId - 1];
      if (known?.tenant !== tenant) throw new AppError("internal", `No layout ${layoutId} of this tenant`);
      forEachReading(decodeBatchBody(known.layout, body), (reading, row) => {
        const { device, property, type, time, value, quality, reason } = reading;
        const seq = firstSeq + row;
        readings.push({ device, property, type, time, value, quality, reason, tenant, node, epoch, seq });
      });
    }
    for (const reading of readings) stored.push(reading);
    source.ranges = commit.ranges;
    source.boot = source.sessionBoot;
  }

  function open(who: Parameters<SeriesStore["openSource"]>[0]): Source {
    const ofNode = sources.filter(({ tenant, node }) => tenant === who.tenant && node === who.node);
    const generation = Math.max(0, ...ofNode.map((source) => source.generation)) + 1;
    let source = ofNode.find(({ epoch }) => epoch === who.epoch);
    if (source === undefined) {
      const { tenant, node, epoch, boot } = who;
      source = { id: sources.length + 1, tenant, node, epoch, generation, sessionBoot: boot, boot: null, ranges: [] };
      sources.push(source);
      ofNode.push(source);
    }
    source.sessionBoot = who.boot;
    for (const each of ofNode) each.generation = generation;
    const nodeRanges = ofNode
      .flatMap((each) => each.ranges)
      .reduce<Ranges>((all, [from, to]) => addRange(all, from, to), []);
    const { id, ranges, boot } = source;
    return { id, tenant: who.tenant, node: who.node, epoch: who.epoch, generation, ranges, nodeRanges, lastBoot: boot };
  }

  function sorted(tenant: TenantUid, device: DeviceUid, property: string): SimStoredReading[] {
    return stored
      .filter((r) => r.tenant === tenant && r.device === device && r.property === property)
      .sort((a, b) => a.time - b.time || a.seq - b.seq);
  }

  /** the last in the order of `sorted` of each that is asked for, in one pass */
  function latest(tenant: TenantUid, series: Parameters<SeriesStore["latest"]>[1]): SimStoredReading[] {
    const found = new Map<string, SimStoredReading | null>();
    for (const { device, property } of series) found.set(`${device}/${property}`, null);
    for (const one of stored) {
      if (one.tenant !== tenant) continue;
      const key = `${one.device}/${one.property}`;
      const last = found.get(key);
      if (last === undefined) continue;
      const isLater = last === null || one.time > last.time || (one.time === last.time && one.seq >= last.seq);
      if (isLater) found.set(key, one);
    }
    return [...found.values()].filter((one) => one !== null);
  }

  function portOf(): SeriesStore {
    const born = life;
    /** Before and after the effect is a place to die; the dead never answer. */
    async function effect<T>(name: string, change: () => T): Promise<T> {
      await step(`store.${name}`);
      if (born !== life) return new Promise<never>(() => {});
      const result = change();
      await step(`store.${name}.done`);
      if (born !== life) return new Promise<never>(() => {});
      return result;
    }
    return {
      openSource: (who) => effect("open", () => open(who)),
      defineLayout: (tenant, layout) =>
        effect("layout", () => {
          const known = layouts.findIndex((each) => each.tenant === tenant && sameLayout(each.layout, layout));
          return known >= 0 ? known + 1 : layouts.push({ tenant, layout });
        }),
      commit: (commit) => effect("commit", () => apply(commit)),
      query: (query) =>
        effect("query", () => {
          if (query.aggregate !== "raw") {
            throw new AppError(
              "input/invalid",
              `Invalid aggregate: "${query.aggregate}": the simulated store has raw only`,
            );
          }
          const all = sorted(query.tenant, query.device, query.property);
          const found = all.filter(({ time }) => time >= query.from && time < query.to);
          const points = found
            .slice(0, query.points)
            .map(({ time, value, quality, reason }): SeriesPoint => ({ time, value, quality, reason }));
          return { type: all.at(-1)?.type ?? null, points, truncated: found.length > query.points };
        }),
      latest: (tenant, series) => effect("latest", () => latest(tenant, series)),
      stats: () =>
        effect("stats", () => ({
          readings: stored.length,
          hotBatches: 0,
          chunks: 0,
          series: new Set(stored.map((r) => `${r.tenant}/${r.device}/${r.property}`)).size,
          bytes: 0,
        })),
      close: async () => {},
    };
  }

  return {
    get store() {
      return store;
    },
    crash() {
      life++;
      store = portOf();
    },
    failNextCommit(code) {
      failure = code;
    },
    readings: () => stored,
  };
}
