import type { Micros } from "@penstock/model";

/** Time, handed in. A test moves it instead of sleeping. */
export interface Clock {
  /** wall time; never goes below the floor given at start, never backwards within a process */
  now(): Micros;
  /** microseconds of a clock that all processes of this boot share and nobody sets (CLOCK_MONOTONIC) */
  monotonic(): number;
  /** calls `run` once after `delayMs`, unless cancelled */
  after(delayMs: number, run: () => void): Cancel;
}
export type Cancel = () => void;

/** Resolves after `delayMs`; rejects with the signal's reason when aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
