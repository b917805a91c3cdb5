import { connect, type Socket } from "node:net";
import { AppError } from "@penstock/model";
import type { DriverClock } from "./driver.ts";

/**
 * A TCP connection to a device.
 *
 * @throws AppError mapper/connect-failed; aborted when the signal is
 */
export function dial(options: {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly clock: DriverClock;
  readonly signal: AbortSignal;
}): Promise<Socket> {
  const { host, port, timeoutMs, clock, signal } = options;
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      settle(new AppError("mapper/connect-failed", `Cannot connect to "${host}:${port}": ${why}`, { cause }));
    const onAbort = () => settle(new AppError("aborted", `Connecting to "${host}:${port}" was called off`));
    const socket = connect({ host, port });
    const stopTimer = clock.after(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`));
    const settle = (error: AppError | null) => {
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners();
      if (error === null) return resolve(socket);
      // An error after this has nobody to hear it, and an unheard one would end the process.
      socket.on("error", () => {}).destroy();
      reject(error);
    };
    socket.once("connect", () => settle(null));
    socket.once("error", (cause) => fail(cause.message, cause));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
