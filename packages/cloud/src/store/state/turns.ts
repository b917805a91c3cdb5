/** One holder at a time, in the order they asked. Unbounded: each waiter is a request that has its own limit. */
export interface Turns {
  /** resolves with the function that ends the turn; calling it again does nothing */
  take(): Promise<() => void>;
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take() {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      return resolve;
    },
  };
}
