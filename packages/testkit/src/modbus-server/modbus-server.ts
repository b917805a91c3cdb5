import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@penstock/runtime";
import { ServerConnection } from "./connection.ts";
import { ServerStats } from "./stats.ts";
import type { RequestHook } from "./treatment.ts";
import type { ModbusUnit } from "./unit.ts";

export interface ModbusServerOptions {
  /** unit id → device; an id without one answers with exception 11, as a gateway does for a device that is not there */
  readonly units: ReadonlyMap<number, ModbusUnit>;
  readonly host?: string;
  /** 0 = any free one */
  readonly port?: number;
  readonly hook?: RequestHook;
  /** only delays use it */
  readonly clock?: Pick<Clock, "after">;
}

/**
 * A Modbus TCP server for tests and the simulated plant, written from the specification alone and sharing no code with
 * any mapper, so that one mistake cannot hide on both ends.
 *
 * @source Modbus Messaging on TCP/IP Implementation Guide V1.0b; Modbus Application Protocol V1.1b3
 */
export class ModbusServer {
  readonly stats = new ServerStats();
  /** decides what happens to each request; may be replaced at any time */
  hook: RequestHook | null;
  readonly host: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: ModbusServerOptions) {
    this.hook = options.hook ?? null;
    this.host = options.host ?? "127.0.0.1";
    const after = options.clock === undefined ? realAfter : options.clock.after.bind(options.clock);
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      const id = ++this.stats.connections;
      new ServerConnection({ id, socket, units: options.units, stats: this.stats, hook: () => this.hook, after });
    });
  }

  /** Resolves once the port is bound; rejects with the system's error (EADDRINUSE …). */
  static async listen(options: ModbusServerOptions): Promise<ModbusServer> {
    const server = new ModbusServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(options.port ?? 0, server.host, () => resolve());
    });
    return server;
  }

  get port(): number {
    // A TCP server that is listening has an AddressInfo; a string is for pipes only.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection at once, as a device does that loses power; new ones are still taken. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Resolves when nothing listens and no connection is left. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function realAfter(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
