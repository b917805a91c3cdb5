import { AppError } from "@penstock/model";

/** The calls of the runner that a connection is busy with: each ends at once when it is called off or the connection closed. */
export class RunningCalls {
  readonly #active = new Set<{ stop: (error: AppError) => void; done: Promise<unknown> }>();
  #isClosed = false;

  /** @param work  is given a signal that is aborted when nobody waits for it any more */
  run(signal: AbortSignal, work: (stopped: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#isClosed) return Promise.reject(new AppError("aborted", "The connection is closed"));
    return new Promise((resolve, reject) => {
      const inner = new AbortController();
      const stop = (error: AppError) => {
        inner.abort();
        reject(error);
      };
      const onAbort = () => stop(new AppError("aborted", "The work was called off", { cause: signal.reason }));
      signal.addEventListener("abort", onAbort, { once: true });
      const entry = { stop, done: Promise.resolve() };
      this.#active.add(entry);
      entry.done = work(inner.signal)
        .then(resolve, reject)
        .finally(() => {
          signal.removeEventListener("abort", onAbort);
          this.#active.delete(entry);
        });
      if (signal.aborted) onAbort();
    });
  }

  /** Ends what runs and takes nothing more. @param hangUp  after which nothing answers. Resolves when nothing runs. */
  async close(hangUp: () => void): Promise<void> {
    this.#isClosed = true;
    const active = [...this.#active];
    for (const { stop } of active) stop(new AppError("aborted", "The connection was closed"));
    hangUp();
    await Promise.allSettled(active.map(({ done }) => done));
  }
}
