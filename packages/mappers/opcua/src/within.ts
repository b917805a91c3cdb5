import type { DriverClock } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";

export interface Within {
  readonly clock: DriverClock;
  readonly ms: number;
  /** nobody waits any more */
  readonly signal: AbortSignal;
  /** what is done, for messages: `read 3 nodes` */
  readonly what: string;
}

/**
 * The outcome of `work`, at the latest after `ms` by the driver's clock. The library counts time by itself; what it gives
 * later is nobody's.
 *
 * @throws AppError mapper/timeout, or `aborted`
 */
export function within<T>(work: Promise<T>, { clock, ms, signal, what }: Within): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      const { reason } = signal;
      reject(
        reason instanceof AppError ? reason : new AppError("aborted", `Cannot ${what}: called off`, { cause: reason }),
      );
    };
    work.catch(() => {}); // it may fail when nobody waits any more
    if (signal.aborted) return aborted();
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", aborted);
      reject(new AppError("mapper/timeout", `Cannot ${what}: no answer within ${ms} ms`));
    });
    signal.addEventListener("abort", aborted, { once: true });
    work
      .then(resolve, reject)
      .finally(() => {
        cancel();
        signal.removeEventListener("abort", aborted);
      })
      .catch(() => {});
  });
}
