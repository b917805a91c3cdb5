export interface Coalesced {
  (): Promise<void>;
  /** Resolves when what was called for has run; the pause before it ends at once. @throws what it throws */
  settled(): Promise<void>;
}

/**
 * Runs `work` now, or once more after the run that is going on; calls made meanwhile share that one. The last run always
 * begins after the last call, so what it reads is never older than the call. Between two runs it waits for `pause`: whoever
 * has to do with what comes of many calls in a row has the time for it.
 */
export function coalesced(work: () => Promise<void>, pause = (): Promise<void> => Promise.resolve()): Coalesced {
  let running: Promise<void> | null = null;
  let again: Promise<void> | null = null;
  let latest: Promise<void> = Promise.resolve();
  let hurry = () => {};
  function start(): Promise<void> {
    const hurried = Promise.withResolvers<void>();
    hurry = hurried.resolve;
    latest = work();
    const paused = latest
      .catch(() => undefined)
      .then(() => Promise.race([pause(), hurried.promise]))
      .finally(() => {
        if (running === paused) running = null;
      });
    running = paused;
    return latest;
  }
  const run = (): Promise<void> => {
    if (running === null) return start();
    again ??= running.then(() => {
      again = null;
      return start();
    });
    return again;
  };
  return Object.assign(run, {
    settled: () => {
      if (again === null) return latest;
      hurry();
      return again;
    },
  });
}
