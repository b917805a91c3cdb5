import type { Journal } from "@penstock/runtime";
import type { OutboxState, StateEntry } from "./cursors.ts";

/** Up to where this disk and the cloud certainly mean the same readings by the same numbers. */
export interface Agreement {
  readonly mark: number;
  /** the cloud holds nothing above the mark that is not this disk's */
  readonly isReached: boolean;
  /** to be awaited before a number above the mark is given; one call at a time */
  beforeAppend(): Promise<void>;
  /** the cloud has looked, and agrees; resolves when that is on disk. No number above the mark may be sent before */
  reach(): Promise<void>;
}

/**
 * A disk that was put back from a copy numbers new readings with numbers that the cloud knows from before. That shows in
 * the next session: the cloud holds numbers above those that the disk came with. So what it came with stays on disk until
 * that session, through any number of restarts, since each of them finds more of the new ones.
 *
 * Limit: a copy made between a restart and that session cannot tell its own new numbers from such ones. When it is put
 * back later, what the cloud already has of them comes again under a new epoch: twice, but not lost.
 *
 * @param options.recovered highest number found on disk
 * @param options.isNew the epoch was made by this process: nobody has heard of it
 */
export function openAgreement(options: {
  readonly journal: Journal<OutboxState, StateEntry>;
  readonly recovered: number;
  readonly isNew: boolean;
}): Agreement {
  const { journal } = options;
  const saved = journal.state.unsureAbove ?? null;
  const mark = saved ?? options.recovered;
  let isReached = options.isNew;
  let isMarked = saved !== null;
  /** a mark that the disk refused may be found on it all the same */
  let mayBeMarked = isMarked;
  let last: Promise<void> = Promise.resolve();
  /** One after another, so that no mark comes behind the agreement. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    last = last.catch(() => {}).then(work);
    return last;
  }
  return {
    mark,
    get isReached() {
      return isReached;
    },
    async beforeAppend() {
      if (isReached || isMarked) return;
      await inTurn(async () => {
        if (isReached) return;
        mayBeMarked = true;
        await journal.append({ t: "unsure", above: mark });
        isMarked = true;
      });
    },
    reach: () =>
      inTurn(async () => {
        if (isReached) return;
        if (mayBeMarked) await journal.append({ t: "agreed" });
        isReached = true;
      }),
  };
}
