import { createHash } from "node:crypto";
import type { BootId, Epoch, Layout, NodeUid, ReadingBatch, SeriesStore, Source, TenantUid } from "@penstock/model";
import { metricsRegistry, silentLog, systemClock } from "@penstock/runtime";
import { encodeBatchBody } from "@penstock/wire";
import { openSeriesStore } from "../packages/cloud/src/store/series/open-series-store.ts";

export const benchTenant = "bench" as TenantUid;

export function openBenchStore(folder: string) {
  return openSeriesStore({ folder, clock: systemClock(), log: silentLog, metrics: metricsRegistry() });
}

/** 32 hex digits that follow from a name, for nodes, epochs and boots of a bench. */
export function hexOf<T extends string>(name: string): T {
  return createHash("sha256").update(name).digest("hex").slice(0, 32) as T;
}

/** One gateway that writes straight to the store: the ceiling of everything that writes over a link. */
export class StoreFeeder {
  readonly #store: SeriesStore;
  readonly #source: Source;
  readonly #layouts = new Map<Layout, Promise<number>>();
  #next = 1;

  private constructor(store: SeriesStore, source: Source) {
    this.#store = store;
    this.#source = source;
  }

  static async open(store: SeriesStore, node: string): Promise<StoreFeeder> {
    const source = await store.openSource({
      tenant: benchTenant,
      node: hexOf<NodeUid>(node),
      epoch: hexOf<Epoch>(`epoch of ${node}`),
      boot: hexOf<BootId>(`boot of ${node}`),
    });
    return new StoreFeeder(store, source);
  }

  /** durable when it resolves; several may be under way; @returns readings */
  async commit(batches: readonly ReadingBatch[]): Promise<number> {
    const layoutIds = await Promise.all(batches.map(({ layout }) => this.#layoutId(layout)));
    // From here to the store's commit without a wait, so that commits come in the order of their numbers.
    const first = this.#next;
    const stored = batches.map((batch, i) => {
      const firstSeq = this.#next;
      this.#next += batch.count;
      return { layoutId: layoutIds[i]!, firstSeq, count: batch.count, body: encodeBatchBody(batch) };
    });
    const readings = this.#next - first;
    const { id, generation } = this.#source;
    await this.#store.commit({ source: id, generation, batches: stored, ranges: [[1, this.#next - 1]] });
    return readings;
  }

  #layoutId(layout: Layout): Promise<number> {
    let id = this.#layouts.get(layout);
    if (id === undefined) {
      id = this.#store.defineLayout(benchTenant, layout);
      this.#layouts.set(layout, id);
    }
    return id;
  }
}
