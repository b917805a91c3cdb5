import { setImmediate } from "node:timers/promises";
import { AppError } from "@penstock/model";

/** Long work in short pieces, so that a commit never waits longer than one of them. */
export interface Slices {
  /** true once the present piece has lasted long enough */
  isOver(): boolean;
  /** lets waiting commits go first; @throws AppError aborted once the store closes */
  next(): Promise<void>;
}

export function createSlices(options: {
  readonly sliceMs: number;
  readonly isClosing: () => boolean;
  /** milliseconds of a clock that only grows */
  readonly elapsed: () => number;
}): Slices {
  let startedAt = options.elapsed();
  return {
    isOver: () => options.elapsed() - startedAt >= options.sliceMs,
    async next() {
      await setImmediate();
      if (options.isClosing()) throw new AppError("aborted", "The series store is closing");
      startedAt = options.elapsed();
    },
  };
}
