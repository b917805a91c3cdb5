/** Closes when the process is told to end, or when standard input ends and `untilStdinEnds` says so. */
export async function runUntilSignal(options: {
  readonly close: () => Promise<void>;
  readonly untilStdinEnds?: boolean;
}): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
    if (options.untilStdinEnds === true) process.stdin.once("end", resolve).once("error", resolve).resume();
  });
  await options.close();
}
