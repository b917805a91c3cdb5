import type { DriverClock } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";

export interface WithinOptions {
  readonly clock: DriverClock;
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  readonly late: () => AppError;
}

/** Waits for work that goes on by itself, so long and no longer. @throws what `late` gives, aborted, or what the work throws */
export function within<T>(work: Promise<T>, { clock, ms, signal, late }: WithinOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new AppError("aborted", "Nobody waits any more", { cause: signal?.reason }));
    if (signal?.aborted === true) aborted();
    signal?.addEventListener("abort", aborted, { once: true });
    const cancel = clock.after(ms, () => reject(late()));
    work.then(resolve, reject).finally(() => {
      cancel();
      signal?.removeEventListener("abort", aborted);
    });
  });
}
