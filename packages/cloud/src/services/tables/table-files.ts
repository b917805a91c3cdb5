import { AppError, type Sheet } from "@penstock/model";
import { type Clock, startWorker, type WorkerClient, workerFile } from "@penstock/runtime";
import type { TableInput, TableMethods, TableRefusal } from "./table-worker.ts";

/** One file takes a second; what takes a minute means harm. */
const longestMs = 60_000;
/** 50,000 rows of a hundred columns fit. */
const heapMb = 768;
/** Files at work at a time; each has a thread of its own. */
const mostAtOnce = 2;
/** How many more may wait for one of those; others are told to come again. */
const mostWaiting = 8;

/** Reads and writes table files in threads of their own, which end with the file. */
export function createTableFiles(clock: Clock) {
  const waiting: (() => void)[] = [];
  const workers = new Set<WorkerClient<TableMethods>>();
  let atWork = 0;
  let isClosed = false;

  async function inWorker<T extends object>(
    work: (worker: WorkerClient<TableMethods>) => Promise<T | { readonly refusal: TableRefusal }>,
  ): Promise<T> {
    if (atWork >= mostAtOnce) {
      if (waiting.length >= mostWaiting)
        throw new AppError("request/too-many", "Too many table files at work: try again later");
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    atWork += 1;
    try {
      if (isClosed) throw new AppError("aborted", "The server stops");
      const worker = await startWorker<TableMethods>(workerFile(import.meta.url, "table-worker"), {
        data: null,
        heapMb,
      });
      workers.add(worker);
      let isLate = false;
      const cancel = clock.after(longestMs, () => {
        isLate = true;
        void worker.kill();
      });
      try {
        const done = await work(worker);
        if ("refusal" in done) {
          const { code, message, fields } = done.refusal;
          throw new AppError(code, message, { fields });
        }
        return done;
      } catch (cause) {
        if (cause instanceof AppError && cause.code !== "internal") throw cause;
        // The thread ended: out of its memory or of its time, either way by what the file holds.
        const why = isLate ? `takes longer than ${longestMs / 1000} s` : `needs more than ${heapMb} MB`;
        throw new AppError("input/too-large", `Cannot take the file: it ${why}`, { cause });
      } finally {
        cancel();
        workers.delete(worker);
        await worker.kill();
      }
    } finally {
      atWork -= 1;
      waiting.shift()?.();
    }
  }

  return {
    /** @throws AppError input/invalid with the places, input/too-large, request/too-many */
    read: async (input: TableInput): Promise<readonly Sheet[]> =>
      (await inWorker((worker) => worker.call("read", input))).sheets,
    /** @throws AppError input/too-large naming the cell, request/too-many */
    write: async (format: "csv" | "xlsx", sheets: readonly Sheet[]): Promise<Uint8Array> =>
      (await inWorker((worker) => worker.call("write", { format, sheets }))).bytes,
    async close(): Promise<void> {
      isClosed = true;
      await Promise.all([...workers].map((worker) => worker.kill()));
    },
  };
}
