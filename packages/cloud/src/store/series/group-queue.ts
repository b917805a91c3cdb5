import type { SeriesCommit, Source } from "@penstock/model";
import { AppError } from "@penstock/model";
import { timesOfBody } from "./batch-times.ts";
import { type Group, type GroupDone, metaFields, type OpenRequest } from "./protocol.ts";

/** A stored batch's place: its id in the hot table, its layout and time bounds. */
export interface StoredPlace {
  readonly id: number;
  readonly layout: number;
  readonly lowest: number;
  readonly highest: number;
}
interface Waiting {
  readonly commit: SeriesCommit;
  resolve(stored: readonly StoredPlace[]): void;
  reject(error: unknown): void;
}
interface WaitingOpen {
  readonly who: OpenRequest;
  resolve(source: Source): void;
  reject(error: unknown): void;
}

const groupBytes = 4 * 1024 * 1024;

/**
 * Gathers commits that come while the disk is busy, so that they share one transaction and one sync.
 *
 * Bound: none of its own; each caller waits for its commit, and ingest bounds the bytes that a session may have waiting.
 */
export function createGroupQueue(send: (group: Group) => Promise<GroupDone>) {
  let commits: Waiting[] = [];
  let opens: WaitingOpen[] = [];
  let busy = false;
  let whenIdle: (() => void)[] = [];

  function pump(): void {
    // One at a time, not two: what comes while the disk is busy makes the next group, and larger groups cost fewer syncs.
    if (busy) return;
    if (commits.length + opens.length > 0) {
      busy = true;
      void flush(takeOpens(), takeCommits()).finally(() => {
        busy = false;
        pump();
      });
      return;
    }
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }
  function takeOpens(): WaitingOpen[] {
    const taken = opens;
    opens = [];
    return taken;
  }
  function takeCommits(): Waiting[] {
    let bytes = 0;
    let taken = 0;
    while (taken < commits.length && bytes < groupBytes) {
      for (const batch of commits[taken]!.commit.batches) bytes += batch.body.length;
      taken++;
    }
    const group = commits.slice(0, taken);
    commits = commits.slice(taken);
    return group;
  }
  async function flush(openGroup: readonly WaitingOpen[], commitGroup: readonly Waiting[]): Promise<void> {
    try {
      const group = toGroup(openGroup, commitGroup);
      // Settled only now: the worker answers after COMMIT has returned, and COMMIT syncs the log before it returns.
      const done = await send(group.message);
      for (const [i, open] of openGroup.entries()) open.resolve(done.sources[i]!);
      let id = done.firstId;
      let next = 0;
      commitGroup.forEach((waiting, c) => {
        const places = group.places.slice(next, next + waiting.commit.batches.length);
        next += places.length;
        if (done.fenced.includes(c)) waiting.reject(fenced(waiting.commit));
        else waiting.resolve(places.map((place) => ({ ...place, id: id++ })));
      });
    } catch (error) {
      for (const waiting of [...openGroup, ...commitGroup]) waiting.reject(error);
    }
  }

  return {
    commit(commit: SeriesCommit): Promise<readonly StoredPlace[]> {
      return new Promise((resolve, reject) => {
        commits.push({ commit, resolve, reject });
        pump();
      });
    },
    open(who: OpenRequest): Promise<Source> {
      return new Promise((resolve, reject) => {
        opens.push({ who, resolve, reject });
        pump();
      });
    },
    idle: (): Promise<void> => (!busy ? Promise.resolve() : new Promise((resolve) => whenIdle.push(resolve))),
  };
}

/** One copy, so that the bytes can move to the worker while their owner still reads the decoded batch. */
function toGroup(opens: readonly WaitingOpen[], commits: readonly Waiting[]) {
  const batches = commits.flatMap(({ commit }) => commit.batches);
  const bodies = new Uint8Array(batches.reduce((sum, batch) => sum + batch.body.length, 0));
  const meta = new Float64Array(batches.length * metaFields);
  let at = 0;
  const places = batches.map(({ layoutId, firstSeq, count, body }, i) => {
    const { lowest, highest } = timesOfBody(body);
    meta.set([layoutId, firstSeq, count, lowest, highest, body.length], i * metaFields);
    bodies.set(body, at);
    at += body.length;
    return { layout: layoutId, lowest, highest };
  });
  const message: Group = {
    opens: opens.map((open) => open.who),
    commits: commits.map(({ commit }) => ({
      source: commit.source,
      generation: commit.generation,
      ranges: commit.ranges,
      batches: commit.batches.length,
    })),
    meta,
    bodies,
  };
  return { message, places };
}

function fenced(commit: SeriesCommit): AppError {
  return new AppError(
    "ingest/fenced",
    `Cannot commit to source ${commit.source}: session ${commit.generation} is not the node's newest any more`,
  );
}
