/**
 * Runs `work` now, or once more after the run that is going on; calls made meanwhile share that one. The last run always
 * begins after the last call, so what it reads is never older than the call. Between two runs it waits for `pause`: whoever
 * has to do with what comes of many calls in a row has the time for it.
 */
export function coalesced(
  work: () => Promise<void>,
  pause = (): Promise<void> => Promise.resolve(),
): () => Promise<void> {
  let running: Promise<void> | null = null;
  let again: Promise<void> | null = null;
  function start(): Promise<void> {
    const run = work();
    const paused = run
      .catch(() => undefined)
      .then(pause)
      .finally(() => {
        if (running === paused) running = null;
      });
    running = paused;
    return run;
  }
  return () => {
    if (running === null) return start();
    again ??= running.then(() => {
      again = null;
      return start();
    });
    return again;
  };
}
