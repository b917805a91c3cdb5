import { AppError } from "@penstock/model";
import type { Clock } from "@penstock/runtime";

/**
 * Runs work that has so long and no longer. At the deadline the work's signal is aborted and the caller gets its error,
 * whether or not the work heeds the signal.
 *
 * @throws AppError mapper/timeout at the deadline, else what the work throws
 */
export function withDeadline<T>(
  options: { readonly clock: Clock; readonly deadlineMs: number; readonly what: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, deadlineMs, what } = options;
  const abort = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(deadlineMs, () => {
      const error = new AppError("mapper/timeout", `Cannot ${what}: no answer within ${deadlineMs} ms`);
      // First the caller's answer: what the work throws because of the abort is no news.
      reject(error);
      abort.abort(error);
    });
    work(abort.signal).then(resolve, reject).finally(cancel);
  });
}

/** Waits for what others wait for too, but only as long as the signal lets. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
