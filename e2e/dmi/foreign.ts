import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemPython } from "@penstock/testkit";

export type Said = Readonly<Record<string, unknown>>;

/** A program in another language with its own generated code: told one JSON object a line, and telling the same way. */
export class Foreign {
  readonly said: Said[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #errors = "";
  #isOver = false;

  constructor(script: string, ...args: readonly string[]) {
    this.#child = spawn(systemPython, ["-u", join(import.meta.dirname, script), ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      // Nothing of the test's own environment changes what the library does.
      env: { PATH: process.env.PATH ?? "", GRPC_VERBOSITY: "ERROR", PYTHONDONTWRITEBYTECODE: "1" },
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.said.push(JSON.parse(line) as Said);
      for (const wake of this.#waiting) wake();
    });
    this.#child.stderr!.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4000);
    });
    this.#child.on("exit", () => {
      this.#isOver = true;
      for (const wake of this.#waiting) wake();
    });
  }

  tell(order: Said): void {
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
  }

  /** What it says next, from `from` on, that has all these fields. */
  async next(fields: Said, { from = 0, withinMs = 20_000 } = {}): Promise<Said> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = this.said.slice(from).find((said) => Object.entries(fields).every(([key, v]) => said[key] === v));
      if (found !== undefined) return found;
      if (this.#isOver || Date.now() > deadline) {
        const what = this.#isOver ? "It ended" : "It said nothing like it";
        throw new Error(`${what}: ${JSON.stringify(fields)}; ${JSON.stringify(this.said.slice(-5))} ${this.#errors}`);
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, 500);
        this.#waiting.add(wake);
      });
    }
  }

  /** Tells it an order and waits until it is carried out. */
  async do(order: Said & { readonly do: string }, withinMs = 20_000): Promise<Said> {
    const from = this.said.length;
    this.tell(order);
    return this.next({ done: order.do }, { from, withinMs });
  }

  async kill(): Promise<void> {
    if (this.#isOver) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}
