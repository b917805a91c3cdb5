import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemPython } from "./system-python.ts";

/** The wheel that has libsnap7.so in it, unpacked: `pip download python-snap7==1.3 --no-deps`, then `python3 -m zipfile -e`. */
export const snap7Version = "1.3";

/**
 * Where snap7's library lies: PENSTOCK_SNAP7 names it, else it is looked for in the cache folder
 * (`$XDG_CACHE_HOME` or `~/.cache`)/penstock/python-snap7-1.3. null when it is nowhere.
 */
export function snap7Library(): string | null {
  const { PENSTOCK_SNAP7: named, XDG_CACHE_HOME: cache } = process.env;
  const folder = join(cache ?? join(homedir(), ".cache"), "penstock", `python-snap7-${snap7Version}`);
  const path = named ?? join(folder, "snap7", "lib", "libsnap7.so");
  return existsSync(path) ? path : null;
}

export type Snap7Area = "DB" | "M" | "I" | "Q" | "T" | "C";

/** snap7's server in a process of its own, with a memory that a test reads and writes behind the protocol's back. */
export class Snap7Server {
  readonly host = "127.0.0.1";
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #port = 0;

  private constructor(library: string) {
    const script = join(import.meta.dirname, "snap7_server.py");
    this.#child = spawn(systemPython, [script, library], { stdio: ["pipe", "pipe", "pipe"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error when the library is missing or the server does not come up */
  static async start(): Promise<Snap7Server> {
    const library = snap7Library();
    if (library === null) throw new Error("Cannot start snap7's server: libsnap7.so is nowhere");
    const server = new Snap7Server(library);
    server.#port = Number(await server.#line());
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** The bytes there, in hexadecimal. */
  async get(area: Snap7Area, db: number, start: number, length: number): Promise<string> {
    this.#child.stdin.write(`get ${area} ${db} ${start} ${length}\n`);
    return this.#line();
  }

  async put(area: Snap7Area, db: number, start: number, hex: string): Promise<void> {
    this.#child.stdin.write(`put ${area} ${db} ${start} ${hex}\n`);
    await this.#line();
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`snap7's server ended: ${this.#child.stderr.read() ?? "it said nothing"}`);
    return value;
  }
}
