import { read } from "node:fs";
import { promisify } from "node:util";
import type { DriverClock } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { SerialPort } from "serialport";
import { type BytePort, endGate } from "./byte-port.ts";
import { withoutEcho } from "./echo-port.ts";

export interface SerialSettings {
  readonly path: string;
  readonly baud: number;
  readonly dataBits: 7 | 8;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
  /** the adapter hears itself: all that is sent comes back before any answer */
  readonly localEcho: boolean;
}

/**
 * Opens a serial port for this process alone.
 *
 * @throws AppError mapper/connect-failed when there is no such port, or another program has it; aborted
 */
export async function openSerial(
  settings: SerialSettings,
  options: { readonly timeoutMs: number; readonly clock: DriverClock; readonly signal: AbortSignal },
): Promise<BytePort> {
  const { path, baud, dataBits, parity, stopBits } = settings;
  const { clock, timeoutMs, signal } = options;
  // Loaded here, so that a gateway without serial lines does not carry its code and its native part in memory.
  const { SerialPort } = await import("serialport");
  if (signal.aborted) throw new AppError("aborted", `Opening "${path}" was called off`);
  const port = new SerialPort({ path, baudRate: baud, dataBits, parity, stopBits, lock: true, autoOpen: false });
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      settle(new AppError("mapper/connect-failed", `Cannot open "${path}": ${why}`, { cause }));
    const onAbort = () => settle(new AppError("aborted", `Opening "${path}" was called off`));
    const stopTimer = clock.after(timeoutMs, () => fail(`not open within ${timeoutMs} ms`));
    let isSettled = false;
    const settle = (error: AppError | null) => {
      if (isSettled) return;
      isSettled = true;
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      if (error === null) {
        endAtHangUp(port);
        resolve(settings.localEcho ? withoutEcho(serialBytes(port)) : serialBytes(port));
      } else reject(error);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    port.open((error) => {
      // The opening itself cannot be called off; when nobody waits any more the port is given back.
      if (isSettled && error === null) port.close(() => {});
      else if (error === null) settle(null);
      else fail(error.message, error);
    });
  });
}

/** What the library's binding has on systems with file descriptors. */
interface UnixBinding {
  readonly isOpen: boolean;
  readonly fd: number | null;
  readonly poller: { once(event: "readable", then: (error: Error | null) => void): void };
  read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }>;
}

/**
 * A terminal whose other end has hung up reads as its end, 0 bytes, for ever. The library's binding reads again at once
 * and so takes a whole core and more and more memory; this one lets the stream end.
 */
function endAtHangUp(port: SerialPort): void {
  const binding = port.port as unknown as UnixBinding | undefined;
  if (binding?.poller === undefined) return;
  binding.read = async (buffer, offset, length) => {
    while (binding.isOpen && binding.fd !== null) {
      try {
        const { bytesRead } = await readAsync(binding.fd, buffer, offset, length, null);
        return { buffer, bytesRead };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "EAGAIN" && code !== "EINTR") throw error;
        // Closed meanwhile: its poller is freed memory by now.
        if (!binding.isOpen) break;
        await new Promise<void>((resolve, reject) =>
          binding.poller.once("readable", (refused) => (refused ? reject(refused) : resolve())),
        );
      }
    }
    throw Object.assign(new Error("the port is not open"), { canceled: true });
  };
}
const readAsync = promisify(read);

function serialBytes(port: SerialPort): BytePort {
  const gate = endGate();
  return {
    listen({ data, ended }) {
      const end = gate.once(ended);
      port.on("data", data);
      port.on("error", (cause) => end(cause.message, cause));
      // An adapter that is pulled out ends like this, with the reason.
      port.on("close", (cause: Error | null) => end(cause?.message ?? "the port was closed", cause));
      port.on("end", () => end("the port has vanished"));
    },
    write: (bytes) => port.write(bytes),
    close() {
      gate.shut();
      // An error after this has nobody to hear it, and an unheard one would end the process.
      port.on("error", () => {});
      return new Promise((resolve) => {
        if (port.isOpen) port.close(() => resolve());
        else resolve();
      });
    },
  };
}
