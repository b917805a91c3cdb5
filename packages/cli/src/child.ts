import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { AppError, type ErrorCode, isErrorCode } from "@penstock/model";

/** One of the programs that `up` starts. It ends when we do, because its standard input ends. */
export interface Child {
  readonly name: string;
  /** the JSON object of its first line */
  readonly first: Readonly<Record<string, unknown>>;
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** Starts a program and waits for its first line. Its log goes to `logPath`. @throws AppError with the code that the program told */
export async function startChild(options: {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly logPath: string;
}): Promise<Child> {
  // A group of its own: Ctrl-C is for us, and we end the programs in their order.
  const child = spawn(process.execPath, [options.script, ...options.args], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const log = createWriteStream(options.logPath, { flags: "a", mode: 0o600 });
  let tail = "";
  child.stderr.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-4096);
    log.write(chunk);
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const first = await firstLine(child, exited);
  if (first === null) throw failure(options.name, tail, options.logPath);
  return {
    name: options.name,
    first,
    exited,
    async stop() {
      child.stdin.end();
      child.kill("SIGTERM");
      await exited;
    },
  };
}

function firstLine(child: ChildProcess, exited: Promise<unknown>): Promise<Record<string, unknown> | null> {
  const lines = createInterface({ input: child.stdout! });
  return new Promise((resolve) => {
    lines.on("line", (line) => {
      try {
        resolve(JSON.parse(line) as Record<string, unknown>);
      } catch {
        // Not the line we wait for.
      }
    });
    void exited.then(() => resolve(null));
  });
}

/** The child reports its error as one JSON line on standard error. */
function failure(name: string, tail: string, logPath: string): AppError {
  for (const line of tail.split("\n").reverse()) {
    try {
      const { error } = JSON.parse(line) as { error?: { code?: unknown; message?: unknown } };
      if (error !== undefined && isErrorCode(error.code))
        return new AppError(error.code as ErrorCode, String(error.message));
    } catch {
      // A log line, not the report.
    }
  }
  return new AppError("internal", `The ${name} ended before it was ready; its log is ${logPath}`);
}
