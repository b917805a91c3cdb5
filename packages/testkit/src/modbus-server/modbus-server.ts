import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { ServerConnection } from "./connection.ts";
import { type Framing, tcpFraming } from "./frame.ts";
import { type Pace, PacedWire, type ServerClock } from "./paced-wire.ts";
import { rtuFraming } from "./rtu.ts";
import { ServerStats } from "./stats.ts";
import type { RequestHook } from "./treatment.ts";
import type { ModbusUnit } from "./unit.ts";

/** What a server over a network and one on a serial line have in common. */
export interface PlayedUnits {
  /**
   * unit id → device; an id without one answers with exception 11 on Modbus TCP, as a gateway does for a device that is
   * not there, and nothing at all on a serial bus
   */
  readonly units: ReadonlyMap<number, ModbusUnit>;
  /** unit ids that say nothing, whether they have a device or not */
  readonly dead?: ReadonlySet<number>;
  readonly hook?: RequestHook;
  /** makes bytes take as long as on a serial line of this speed, both ways */
  readonly pace?: Pace;
  /** how many of the newest requests `stats.seen` holds; 0 unless stated */
  readonly keepRequests?: number;
  /** for delays, pace and the silence between serial frames; the machine's unless stated */
  readonly clock?: ServerClock;
}
export interface ModbusServerOptions extends PlayedUnits {
  readonly host?: string;
  /** 0 = any free one */
  readonly port?: number;
  /** "rtu": serial frames in a TCP stream, as transparent serial servers carry them; "tcp" unless stated */
  readonly framing?: "tcp" | "rtu";
}

/**
 * A Modbus server for tests and the simulated plant, over TCP, written from the specification alone and sharing no code
 * with any mapper, so that one mistake cannot hide on both ends.
 *
 * @source Modbus Messaging on TCP/IP Implementation Guide V1.0b; Modbus Application Protocol V1.1b3
 */
export class ModbusServer {
  readonly stats: ServerStats;
  /** decides what happens to each request; may be replaced at any time */
  hook: RequestHook | null;
  /** may be replaced at any time */
  dead: ReadonlySet<number>;
  readonly host: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: ModbusServerOptions) {
    this.stats = new ServerStats(options.keepRequests);
    this.hook = options.hook ?? null;
    this.dead = options.dead ?? new Set();
    this.host = options.host ?? "127.0.0.1";
    const clock = options.clock ?? realClock;
    const framing: Framing = options.framing === "rtu" ? rtuFraming : tcpFraming;
    // However many clients there are, the serial line behind a serial server is one.
    const wire = options.pace === undefined ? null : new PacedWire(options.pace, clock);
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("close", () => this.#sockets.delete(socket));
      const { units } = options;
      const { stats } = this;
      const id = ++stats.connections;
      const played = { units, dead: () => this.dead, hook: () => this.hook, stats };
      new ServerConnection({ id, socket, framing, wire, clock, ...played });
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

export const realClock: ServerClock = {
  monotonic: () => Math.floor(performance.now() * 1000),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
