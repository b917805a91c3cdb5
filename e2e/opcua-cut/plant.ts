import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { freePort } from "@penstock/testkit";

/** The server's process, as a test sees it. */
export class Plant {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(options: {
    readonly port?: number;
    readonly counters: number;
    readonly first: number;
  }): Promise<Plant> {
    const { port = await freePort(), counters, first } = options;
    const child = fork(join(import.meta.dirname, "plant-process.ts"), [`${port}`, `${counters}`, `${first}`], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const [said] = (await once(child, "message")) as [{ readonly port: number }];
    return new Plant(child, said.port);
  }

  count(): void {
    this.#child.send("count");
  }

  /** @returns the value at which all counters stand */
  async stopCounting(): Promise<number> {
    const answered = once(this.#child, "message");
    this.#child.send("stop");
    const [{ value }] = (await answered) as [{ readonly value: number }];
    return value;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
