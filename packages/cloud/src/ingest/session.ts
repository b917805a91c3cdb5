import {
  AppError,
  addRange,
  type CommittedBatch,
  type IngestEntry,
  type IngestHello,
  type IngestSession,
  type Layout,
  limits,
  type NodeIdentity,
  type Ranges,
  type ReadingBatch,
  type SeriesStore,
  type Source,
  type StoredBatch,
  traceId,
} from "@penstock/model";
import type { Log } from "@penstock/runtime";
import { encodeBatchBody } from "@penstock/wire";
import { acknowledge } from "./acknowledge.ts";
import { checkEntry } from "./check-entry.ts";
import { freshParts, heldOf } from "./dedup.ts";
import { lostBelow, needsNewEpoch } from "./epoch.ts";
import type { LayoutUse } from "./layout-use.ts";
import type { IngestMetrics } from "./metrics.ts";
import { sliceBatch } from "./slice-batch.ts";

export interface SessionOptions {
  readonly identity: NodeIdentity;
  readonly hello: IngestHello;
  readonly source: Source;
  readonly store: Pick<SeriesStore, "commit" | "defineLayout">;
  readonly wasAssigned: (identity: NodeIdentity, device: Layout["device"]) => Promise<boolean>;
  readonly onCommitted: (committed: CommittedBatch) => void;
  readonly onUnassigned?: (identity: NodeIdentity, device: Layout["device"]) => void;
  readonly log: Log;
  readonly metrics: IngestMetrics;
  readonly layoutUse: LayoutUse;
}
/** One submit on its way: what of it is stored, and who waits for it. */
interface Waiting {
  readonly fresh: readonly { readonly stored: StoredBatch; readonly batch: ReadingBatch }[];
  readonly ranges: Ranges;
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

// So much of one session goes into one commit; the others' commits come in between.
const commitBytes = 1024 * 1024;

/**
 * One session's way into the store, with one commit under way at a time: each commit names all ranges held after it, so
 * it must not run beside one that may still fail. What is submitted meanwhile shares the next commit.
 *
 * Bound: what link's credit lets the gateway have unacknowledged; policy: the gateway waits.
 */
export function createSession(options: SessionOptions): IngestSession {
  const { identity, hello, source, store, metrics, log } = options;
  const newEpoch = needsNewEpoch(source, hello);
  const gap = lostBelow(source, hello);
  let committed: Ranges = join(source.ranges, gap);
  /** committed, being committed, or waiting for it */
  let known: Ranges = committed;
  let waiting: Waiting[] = [];
  let busy = false;
  let broken: unknown = null;
  const layoutIds = new WeakMap<Layout, Promise<number>>();
  const assigned = new Set<Layout["device"]>();

  for (const [from, to] of gap) metrics.lost.add(to - from + 1);

  /** null: the readings are not this node's to send; they are acknowledged, counted and left */
  async function place(entry: IngestEntry): Promise<number | null> {
    const { layout } = entry;
    if (!assigned.has(layout.device)) {
      if (!(await options.wasAssigned(identity, layout.device))) return null;
      assigned.add(layout.device);
    }
    let id = layoutIds.get(layout);
    if (id === undefined) {
      id = store.defineLayout(identity.tenant, layout);
      layoutIds.set(layout, id);
    }
    options.layoutUse.count(identity.node, await id, layout);
    return id;
  }

  async function pump(): Promise<void> {
    if (busy) return;
    busy = true;
    while (waiting.length > 0 && broken === null) {
      const turn = takeTurn();
      const ranges = turn.reduce((all, { ranges }) => join(all, ranges), committed);
      const fresh = turn.flatMap((submit) => submit.fresh);
      try {
        if (ranges !== committed) await store.commit(commitOf(fresh, ranges));
        committed = ranges;
        announce(fresh);
        for (const submit of turn) submit.resolve();
      } catch (error) {
        metrics.failures.add();
        for (const submit of turn) submit.reject(error);
        breakOff(error);
      }
    }
    busy = false;
  }
  function breakOff(reason: unknown): void {
    broken ??= reason;
    for (const submit of waiting) submit.reject(reason);
    waiting = [];
  }
  function takeTurn(): Waiting[] {
    let bytes = 0;
    let taken = 0;
    while (taken < waiting.length && bytes < commitBytes) bytes += waiting[taken++]!.bytes;
    const turn = waiting.slice(0, taken);
    waiting = waiting.slice(taken);
    return turn;
  }
  function commitOf(fresh: Waiting["fresh"], ranges: Ranges) {
    const batches = fresh.map(({ stored }) => stored);
    return { source: source.id, generation: source.generation, batches, ranges };
  }
  function announce(fresh: Waiting["fresh"]): void {
    for (const { stored, batch } of fresh) {
      metrics.readings.add(batch.count);
      const { tenant, node } = identity;
      options.onCommitted({ tenant, node, epoch: hello.epoch, firstSeq: stored.firstSeq, layout: batch.layout, batch });
    }
  }

  /** Without a wait inside: two submits at once must not both take the same readings for new. */
  function take(
    entries: readonly { readonly entry: IngestEntry; readonly batch: ReadingBatch; readonly layoutId: number | null }[],
  ): Waiting["fresh"] {
    return entries.flatMap(({ entry, batch, layoutId }) => {
      const parts = freshParts(known, entry.firstSeq, entry.count);
      known = addRange(known, entry.firstSeq, entry.firstSeq + entry.count - 1);
      const fresh = parts.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      metrics.duplicates.add(entry.count - fresh);
      if (layoutId === null) {
        metrics.unassigned.add(fresh);
        options.onUnassigned?.(identity, entry.layout.device);
        return [];
      }
      return parts.map(([from, to]) => {
        const isWhole = to - from + 1 === entry.count;
        const part = isWhole ? batch : sliceBatch(batch, from - entry.firstSeq, to + 1 - entry.firstSeq);
        const body = isWhole ? entry.body : encodeBatchBody(part);
        if (log.tracing) log.trace({ file: "cloud/src/ingest/session.ts", id: traceId(part) }, "New to the store");
        return { batch: part, stored: { layoutId, firstSeq: from, count: part.count, body } };
      });
    });
  }

  /** What is held is written with every commit: who leaves holes without end makes each of them longer. */
  function checkPieces(entries: readonly IngestEntry[]): void {
    const after = entries.reduce((all, e) => addRange(all, e.firstSeq, e.firstSeq + e.count - 1), known);
    if (after.length <= Math.max(limits.rangesPerEpoch, known.length)) return;
    metrics.limited("rangesPerEpoch").add();
    const text = `Cannot take readings: what is held of this epoch would be in ${after.length} pieces, limit ${limits.rangesPerEpoch}`;
    throw new AppError("request/too-many", text);
  }

  async function submit(entries: readonly IngestEntry[]): Promise<Ranges> {
    if (newEpoch)
      throw new AppError("link/bad-frame", "Cannot take readings: the session was told to begin a new epoch");
    // All of them before any is kept: a malformed entry ends the session with nothing of its message stored.
    const batches = entries.map(checkEntry);
    const layoutIds = await Promise.all(entries.map(place));
    if (broken !== null) throw broken;
    checkPieces(entries);
    const fresh = take(entries.map((entry, i) => ({ entry, batch: batches[i]!, layoutId: layoutIds[i]! })));
    const ranges = entries.reduce<Ranges>((all, e) => addRange(all, e.firstSeq, e.firstSeq + e.count - 1), []);
    const done = Promise.withResolvers<void>();
    // Whoever waits for it hears of a failure through the acknowledgement.
    done.promise.catch(() => {});
    const bytes = fresh.reduce((sum, { stored }) => sum + stored.body.length, 0);
    waiting.push({ fresh, ranges, bytes, resolve: done.resolve, reject: done.reject });
    void pump();
    return acknowledge(done.promise, ranges);
  }

  return {
    held: heldOf(source),
    newEpoch,
    gap,
    generation: source.generation,
    submit,
    end: () => breakOff(new AppError("link/closed", "Cannot take readings: the session has ended")),
  };
}

/** The same object when nothing is added. */
function join(ranges: Ranges, more: Ranges): Ranges {
  return more.reduce((all, [from, to]) => addRange(all, from, to), ranges);
}
