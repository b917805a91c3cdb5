import { constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { asciiFraming } from "./ascii.ts";
import { ServerConnection } from "./connection.ts";
import { type PlayedUnits, realClock } from "./modbus-server.ts";
import { PacedWire } from "./paced-wire.ts";
import { rtuFraming } from "./rtu.ts";
import { ServerStats } from "./stats.ts";
import type { RequestHook } from "./treatment.ts";

export interface ModbusSerialServerOptions extends PlayedUnits {
  /** a terminal in raw mode, such as one end of `openPtyPair()` */
  readonly path: string;
  readonly framing?: "rtu" | "ascii";
}

/**
 * All units of one serial bus, for tests: RTU unless stated, or ASCII. Units that are not on the bus say nothing.
 *
 * @source Modbus over Serial Line Specification and Implementation Guide V1.02
 */
export class ModbusSerialServer {
  readonly stats: ServerStats;
  /** decides what happens to each request; may be replaced at any time */
  hook: RequestHook | null;
  /** may be replaced at any time */
  dead: ReadonlySet<number>;
  readonly wire: PacedWire | null;
  readonly #terminal: ReadStream;

  /** @throws Error the system's, when there is no such terminal */
  constructor(options: ModbusSerialServerOptions) {
    const { units, path, clock = realClock } = options;
    this.stats = new ServerStats(options.keepRequests);
    this.hook = options.hook ?? null;
    this.dead = options.dead ?? new Set();
    this.wire = options.pace === undefined ? null : new PacedWire(options.pace, clock);
    // Without O_NOCTTY the terminal would become the one whose Ctrl-C ends this process.
    this.#terminal = new ReadStream(openSync(path, constants.O_RDWR | constants.O_NOCTTY));
    this.#terminal.setRawMode(true);
    const framing = options.framing === "ascii" ? asciiFraming : rtuFraming;
    const played = { units, dead: () => this.dead, hook: () => this.hook, stats: this.stats };
    new ServerConnection({ id: 1, socket: this.#terminal, framing, wire: this.wire, clock, ...played });
    this.#terminal.resume();
  }

  /** Resolves when the terminal is closed. */
  async close(): Promise<void> {
    if (this.#terminal.closed) return;
    const closed = new Promise<void>((resolve) => this.#terminal.once("close", () => resolve()));
    this.#terminal.destroy();
    await closed;
  }
}
