/** Anything shorter needs no sign of life. */
const quietMs = 1000;

/** Runs something that may take long: after a second a terminal sees on standard error that it goes on, and for how long. */
export async function withProgress<T>(doing: string, run: () => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return run();
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += 1;
    process.stderr.write(`\r${doing} … ${seconds} s`);
  }, quietMs);
  try {
    return await run();
  } finally {
    clearInterval(timer);
    // Carriage return, erase line: ECMA-48, 8.3.41.
    if (seconds > 0) process.stderr.write("\r\u001b[2K");
  }
}
