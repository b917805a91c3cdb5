import { type AddressInfo, createServer, type Socket } from "node:net";
import type { DriverClock, DriverLog } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import { type Framing, MasterSession } from "./session.ts";

export interface Listener {
  /** what masters connect to: "127.0.0.1:502", or the path of a serial line */
  readonly name: string;
  /** resolves when nothing listens and no master is connected */
  close(): Promise<void>;
}

export interface TcpListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly framing: Exclude<Framing, "ascii">;
  readonly maxConnections: number;
  /** a master that says nothing for so long is disconnected */
  readonly idleMs: number;
  /** of one master; who asks more waits for the next second */
  readonly requestsPerSecond: number;
  readonly answer: (unit: number, pdu: Uint8Array) => Uint8Array | null;
  readonly clock: DriverClock;
  readonly log: DriverLog;
  /** aborted when nobody waits for it to listen any more */
  readonly signal: AbortSignal;
}

/** @throws AppError mapper/connect-failed when the address cannot be listened on; aborted */
export function listenTcp(options: TcpListenerOptions): Promise<Listener> {
  const { host, port, log, signal } = options;
  const masters = new Set<Socket>();
  let refused = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {}); // a master may go at any time; "close" follows
    if (masters.size >= options.maxConnections) {
      refused++;
      log.warn({ from: socket.remoteAddress, connected: masters.size, refused }, "Too many masters, one was refused");
      socket.destroy();
      return;
    }
    masters.add(socket);
    socket.on("close", () => masters.delete(socket));
    serve(socket, options);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of masters) socket.destroy();
    });
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      void close();
      reject(new AppError("aborted", `Listening on "${host}:${port}" was called off`));
    };
    server.once("error", (cause) => {
      signal.removeEventListener("abort", onAbort);
      reject(new AppError("mapper/connect-failed", `Cannot listen on "${host}:${port}": ${cause.message}`, { cause }));
    });
    server.listen(port, host, () => {
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted) return;
      // A listening TCP server has an AddressInfo; a string is for pipes only.
      const bound = server.address() as AddressInfo;
      resolve({ name: `${host}:${bound.port}`, close });
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

function serve(socket: Socket, { framing, clock, log, answer, idleMs, requestsPerSecond }: TcpListenerOptions): void {
  socket.setNoDelay(true);
  const from = `${socket.remoteAddress}:${socket.remotePort}`;
  let heardAt = clock.monotonic();
  let stopIdle = () => {};
  const watch = (delayMs: number) => {
    stopIdle = clock.after(delayMs, () => {
      const leftMs = idleMs - (clock.monotonic() - heardAt) / 1000;
      if (leftMs > 0) {
        watch(Math.ceil(leftMs));
        return;
      }
      log.info({ from }, "A master was silent too long and is disconnected");
      socket.destroy();
    });
  };
  watch(idleMs);

  const session = new MasterSession({ framing, clock, answer, send: (bytes) => socket.write(bytes) });
  const second = { began: heardAt, requests: 0 };
  let stopPause = () => {};
  let isPaused = false;
  /** Who does not read its answers, or asks more than its share, is not listened to until it has mended. */
  const resume = () => {
    if (!isPaused && !socket.writableNeedDrain) socket.resume();
  };
  socket.on("drain", resume);
  socket.on("data", (chunk) => {
    heardAt = clock.monotonic();
    if (heardAt - second.began >= 1e6) Object.assign(second, { began: heardAt, requests: session.requests });
    socket.cork();
    try {
      session.push(chunk);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.warn({ from, error: error.message }, "A master does not speak Modbus TCP and is disconnected");
      socket.destroy();
      return;
    } finally {
      socket.uncork();
    }
    if (socket.writableNeedDrain) socket.pause();
    if (session.requests - second.requests < requestsPerSecond || isPaused) return;
    isPaused = true;
    socket.pause();
    stopPause = clock.after(Math.max(1, Math.ceil(1000 - (heardAt - second.began) / 1000)), () => {
      isPaused = false;
      resume();
    });
  });
  socket.on("close", () => {
    stopIdle();
    stopPause();
    session.close();
  });
}
