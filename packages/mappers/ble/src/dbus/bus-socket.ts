import { createConnection, type Socket } from "node:net";
import type { DriverClock } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { BusAddress } from "./bus-address.ts";

export interface SocketOptions {
  readonly address: BusAddress;
  readonly clock: DriverClock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}
const mostLineBytes = 4096;

/**
 * A socket to the bus, past the point where both have agreed on who we are: from here on come messages. Bytes that came
 * with the agreement are given back to the socket.
 *
 * @throws AppError mapper/connect-failed, or aborted
 * @source D-Bus Specification 0.43, "Authentication Protocol"
 */
export function openBusSocket(options: SocketOptions): Promise<Socket> {
  const { address, clock, signal, timeoutMs } = options;
  const where = "path" in address ? address.path.replace("\0", "@") : `${address.host}:${address.port}`;
  return new Promise((resolve, reject) => {
    const socket = createConnection(address);
    const methods = [`EXTERNAL ${Buffer.from(String(process.getuid?.() ?? 0)).toString("hex")}`, "ANONYMOUS"];
    let given = Buffer.alloc(0);
    const settle = (error: AppError | null) => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners();
      // An error after this belongs to whoever has the socket; until then it must not end the process.
      socket.on("error", () => {});
      if (error === null) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const fail = (why: string, cause?: unknown) =>
      settle(new AppError("mapper/connect-failed", `Cannot reach the bus at "${where}": ${why}`, { cause }));
    const onAbort = () => settle(new AppError("aborted", "Opening was called off", { cause: signal.reason }));
    const cancel = clock.after(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`));
    const authenticate = () => socket.write(`AUTH ${methods.shift()}\r\n`);
    socket.once("error", (error) => fail(error.message, error));
    socket.once("close", () => fail("it has closed the connection"));
    socket.once("connect", () => {
      socket.write("\0");
      authenticate();
    });
    socket.on("data", (bytes) => {
      given = Buffer.concat([given, bytes]);
      const end = given.indexOf("\r\n");
      if (end < 0) {
        if (given.length > mostLineBytes) fail("it does not speak D-Bus");
        return;
      }
      const line = given.subarray(0, end).toString("latin1");
      given = given.subarray(end + 2);
      if (/^OK( |$)/.test(line)) {
        socket.write("BEGIN\r\n");
        socket.pause();
        settle(null);
        if (given.length > 0) socket.unshift(given);
      } else if (line.startsWith("REJECTED") && methods.length > 0) authenticate();
      else fail(`it refuses us: "${line.slice(0, 80)}"`);
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
