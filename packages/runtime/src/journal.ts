import { AppError } from "@penstock/model";
import { makeDurableFolder } from "./data-folder.ts";
import type { AppendFile, Files } from "./files.ts";
import { type Codec, plainCodec } from "./journal-codec.ts";
import { logName, recoverJournal, removeOthers, snapshotName } from "./journal-recovery.ts";
import { frameRecord } from "./segment-file.ts";

export interface JournalOptions<S, E> {
  readonly files: Files;
  /** the journal's own folder; made when missing */
  readonly folder: string;
  /** the state before the first entry */
  readonly initial: S;
  /** pure: gives the state after the entry, and leaves the one handed in as it was */
  apply(state: S, entry: E): S;
  /** default: `plainCodec()` */
  readonly stateCodec?: Codec<S>;
  readonly entryCodec?: Codec<E>;
  /** the log is replaced by a snapshot when it is longer than this, in bytes, and than the last snapshot; default 1 MiB */
  readonly logBytes?: number;
}

/** A state on disk: a snapshot and a log of the entries since. */
export interface Journal<S, E> {
  /** the state that is on disk; changes only when an append resolves */
  readonly state: S;
  /**
   * Resolves after the fdatasync that covers the entry; entries apply in the order of the calls, and calls made meanwhile
   * share one sync. Rejects with data/disk-full or data/write-failed: then the entry has not been applied (after a crash
   * that follows at once it may be found applied), and later appends may succeed.
   */
  append(entry: E): Promise<void>;
  /** resolves when nothing is in flight; appends after it reject */
  close(): Promise<void>;
}

interface Waiting<E> {
  readonly entry: E;
  readonly record: Uint8Array[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function writeError(folder: string, cause: unknown): AppError {
  const full = (cause as NodeJS.ErrnoException).code === "ENOSPC";
  return full
    ? new AppError("data/disk-full", `Cannot write journal "${folder}": the disk is full; free some space`, { cause })
    : new AppError("data/write-failed", `Cannot write journal "${folder}": the disk refused a write or a sync`, {
        cause,
      });
}

/**
 * Opens or makes the journal of a folder. Files: `snapshot-<n>` (one record, synced before it got its name) and `log-<n>`
 * (the entries after it); the highest n counts, others are left-overs of a crash and are removed.
 *
 * @throws AppError data/corrupt when the snapshot fails its checksum; data/write-failed. A full disk is no reason: the
 * journal opens, and appends reject until there is room
 */
export async function openJournal<S, E>(options: JournalOptions<S, E>): Promise<Journal<S, E>> {
  const { files, folder, apply, logBytes = 1024 * 1024 } = options;
  const stateCodec = options.stateCodec ?? plainCodec<S>();
  const entryCodec = options.entryCodec ?? plainCodec<E>();
  await makeDurableFolder(files, folder);
  const recovered = await recoverJournal({ ...options, stateCodec, entryCodec });
  let { state, last: generation, snapshotBytes } = recovered;
  /** null after a failure: the file's tail is not to be trusted, so the next append begins a new generation */
  let log: AppendFile | null = null;
  let waiting: Waiting<E>[] = [];
  let working: Promise<void> | null = null;
  let isClosed = false;

  /** Writes the state beside, and only when all of it is durable under its name does the old generation go. */
  async function compact(): Promise<void> {
    const next = generation + 1;
    const record = frameRecord([stateCodec.encode(state)]);
    const name = `${folder}/${snapshotName(next)}`;
    const beside = `${name}.new`;
    // A left-over of an earlier try would otherwise be appended to.
    if (await files.exists(beside)) await files.remove(beside);
    const file = await files.openAppend(beside);
    try {
      await file.append(record);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(beside, name);
    const opened = await files.openAppend(`${folder}/${logName(next)}`);
    try {
      await files.syncFolder(folder);
    } catch (error) {
      await opened.close();
      // The snapshot holds nothing that was refused, so it may stay; this number must not be written again.
      generation = next;
      throw error;
    }
    await log?.close();
    log = opened;
    generation = next;
    snapshotBytes = record.reduce((sum, part) => sum + part.length, 0);
    // What cannot be removed now is removed at the next compaction.
    await removeOthers(files, folder, next).catch(() => {});
  }

  async function write(group: readonly Waiting<E>[]): Promise<void> {
    const due = log !== null && log.length > Math.max(logBytes, snapshotBytes);
    if (log === null || due) await compact();
    const file = log!;
    try {
      await file.append(group.flatMap((one) => one.record));
      await file.sync();
    } catch (error) {
      // Half a record may stand there; and after a failed sync the system may have thrown the pages away and call the next
      // sync a success. This file is not gone on with: the next append writes a snapshot beside it.
      log = null;
      await file.close();
      throw error;
    }
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await write(group);
        for (const one of group) state = apply(state, one.entry);
        for (const one of group) one.resolve();
      } catch (error) {
        const failure = writeError(folder, error);
        for (const one of group) one.reject(failure);
      }
    }
    working = null;
  }

  try {
    await compact();
  } catch (error) {
    // A full disk must not keep a gateway from starting: what empties it may be this very process.
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw writeError(folder, error);
  }
  return {
    get state() {
      return state;
    },
    append: (entry) =>
      new Promise((resolve, reject) => {
        if (isClosed) {
          reject(new AppError("aborted", `Cannot write journal "${folder}": it is closed`));
          return;
        }
        waiting.push({ entry, record: frameRecord([entryCodec.encode(entry)]), resolve, reject });
        working ??= work();
      }),
    close: async () => {
      isClosed = true;
      while (working !== null) await working;
      await log?.close();
      log = null;
    },
  };
}
