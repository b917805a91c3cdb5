import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";

export interface KillableOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** how long the first line may take; default 60 s: on a machine that others keep busy `penstock up` was seen to need 24 */
  readonly readyMs?: number;
}
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Lines of each stream that are kept for messages; older ones are dropped. */
const keptLines = 200;

/**
 * A real process that a test starts, kills and starts again. It leads its own process group, so that a kill reaches its
 * children too, and a watcher ends the group when the test itself dies, by SIGKILL even: nothing is left behind.
 */
export class KillableProcess {
  readonly name: string;
  /** how each life ended, in order */
  readonly ends: ProcessEnd[] = [];
  /** what the present or last life has printed, the newest lines */
  readonly output: string[] = [];
  readonly #options: KillableOptions;
  readonly #listeners = new Set<(line: string) => void>();
  #child: ChildProcessWithoutNullStreams | null = null;
  #ended: Promise<ProcessEnd> | null = null;

  constructor(options: KillableOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Called for every line of standard output of every life, the first one too. */
  onLine(listener: (line: string) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Starts it and resolves with its first line of output, parsed as JSON.
   *
   * @throws Error when it is running, ends before that line, prints something else, or takes longer than `readyMs`; it is
   *   killed then, and the message has what it printed
   */
  async start(): Promise<unknown> {
    if (this.#child !== null) throw new Error(`Cannot start "${this.name}": it is running`);
    const { command, args, cwd, env } = this.#options;
    const child = spawn(command, [...args], {
      ...{ detached: true, stdio: "pipe", env: { ...process.env, ...env } },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child = child;
    this.output.length = 0;
    // A pipe whose reader has been killed breaks; the end of the process tells the story.
    child.stdin.on("error", () => {});
    const firstLine = new Promise<string>((resolve) => {
      readLines(child.stdout, (line) => {
        this.#keep(line);
        resolve(line);
        for (const listener of this.#listeners) listener(line);
      });
      readLines(child.stderr, (line) => this.#keep(line));
    });
    this.#ended = this.#follow(child);
    const ended = this.#ended.then((end) => {
      throw this.#failure(`ended with ${end.signal ?? end.code} before its first line`);
    });
    const late = deadline(this.#options.readyMs ?? 60_000);
    try {
      const line = await Promise.race([firstLine, ended, late.promise]);
      if (line === null) throw this.#failure("printed nothing in time");
      return parse(line) ?? raise(this.#failure(`printed "${line}", not JSON`));
    } catch (error) {
      await this.kill();
      throw error;
    } finally {
      late.cancel();
      // The life goes on; its end is no failure of the start any more.
      ended.catch(() => {});
    }
  }

  /** SIGKILL to the whole group; resolves when the process is gone. Does nothing when it is not running. */
  async kill(): Promise<ProcessEnd | null> {
    this.signal("SIGKILL");
    return this.#ended;
  }

  /** Closes its standard input and asks it to end; kills it after `graceMs`. */
  async stop(graceMs = 5000): Promise<ProcessEnd | null> {
    this.#child?.stdin.end();
    this.signal("SIGTERM");
    const late = deadline(graceMs);
    const end = await Promise.race([this.#ended, late.promise]);
    late.cancel();
    return end ?? this.kill();
  }

  async restart(): Promise<unknown> {
    await this.kill();
    return this.start();
  }

  /** To the whole group: SIGSTOP and SIGCONT too. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) killGroup(pid, signal);
  }

  #follow(child: ChildProcessWithoutNullStreams): Promise<ProcessEnd> {
    const { pid } = child;
    if (pid !== undefined) watch(`+${pid}\n`);
    return new Promise((resolve) => {
      const finish = (end: ProcessEnd) => {
        if (this.#child !== child) return;
        this.#child = null;
        // Its own children may live on in the group; a kill of the leader alone would leave them.
        if (pid !== undefined) {
          killGroup(pid, "SIGKILL");
          watch(`-${pid}\n`);
        }
        this.ends.push(end);
        resolve(end);
      };
      child.once("error", (error) => {
        this.#keep(String(error));
        finish({ code: null, signal: null });
      });
      child.once("exit", (code, signal) => finish({ code, signal }));
    });
  }

  #keep(line: string): void {
    this.output.push(line);
    if (this.output.length > keptLines) this.output.shift();
  }

  #failure(what: string): Error {
    return new Error(`Cannot start "${this.name}": it ${what}; output: ${this.output.slice(-20).join(" | ")}`);
  }
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the whole group is gone already.
  }
}

let watcher: ChildProcessWithoutNullStreams | null = null;
/** One watcher for all, started with the first process; it must be able to outlive us, so it has a group of its own. */
function watch(line: string): void {
  if (watcher === null) {
    const started = spawn(process.execPath, [join(import.meta.dirname, "process-watcher.ts")], {
      ...{ detached: true, stdio: "pipe" },
    });
    started.stdin.on("error", () => {});
    started.unref();
    for (const stream of [started.stdin, started.stdout, started.stderr])
      (stream as unknown as { unref(): void }).unref();
    watcher = started;
  }
  watcher.stdin.write(line);
}

function readLines(stream: NodeJS.ReadableStream, each: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) each(line);
  });
}

function deadline(ms: number): { promise: Promise<null>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function raise(error: Error): never {
  throw error;
}
