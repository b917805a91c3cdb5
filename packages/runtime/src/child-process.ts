import { type ChildProcess as NodeChild, spawn } from "node:child_process";
import { Socket } from "node:net";
import { LineSplitter } from "./child-process-lines.ts";

/** Starts programs. No shell ever sees the arguments. */
export interface ChildProcesses {
  spawn(options: SpawnOptions): Child;
}
export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** besides the few harmless variables that every child gets; nothing else is inherited, so no secret leaks into a child */
  readonly env?: Readonly<Record<string, string>>;
}
export interface Child {
  /** null when it could not be started; `onExit` then tells why */
  readonly pid: number | null;
  /** file descriptor 3 of the child, both ways */
  readonly pipe: BytePipe;
  /** lines of stdout and stderr, each cut at 8 kB */
  onLine(listener: (line: string, from: "stdout" | "stderr") => void): void;
  /** called exactly once, also when the program could not be started and also when it is already gone */
  onExit(listener: (exit: ChildExit) => void): void;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** why it could not be started */
  readonly error: Error | null;
}
export interface BytePipe {
  /** never throws; bytes written after the close go nowhere */
  write(bytes: Uint8Array): void;
  /** bytes taken by `write` that the other end has not read yet */
  readonly queuedBytes: number;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** called once: the other end closed it, it failed, or we closed it */
  onClose(listener: () => void): void;
  close(): void;
}

const inherited = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

export const systemChildProcesses: ChildProcesses = {
  spawn({ command, args, cwd, env }) {
    const childEnv: Record<string, string> = { ...env };
    for (const name of inherited) {
      const value = process.env[name];
      if (value !== undefined && childEnv[name] === undefined) childEnv[name] = value;
    }
    const child = spawn(command, [...args], {
      cwd,
      env: childEnv,
      shell: false,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    return wrapChild(child);
  },
};

function wrapChild(child: NodeChild): Child {
  let exit: ChildExit | null = null;
  const onExit: ((exit: ChildExit) => void)[] = [];
  const settle = (how: ChildExit) => {
    if (exit !== null) return;
    exit = how;
    for (const listener of onExit.splice(0)) listener(how);
  };
  // "error" comes instead of "exit" when the program cannot be started; it also comes when a kill fails, and then the
  // process still runs.
  child.on("error", (error) => {
    if (child.pid === undefined) settle({ code: null, signal: null, error });
  });
  child.on("exit", (code, signal) => settle({ code, signal, error: null }));

  const onLine: ((line: string, from: "stdout" | "stderr") => void)[] = [];
  for (const from of ["stdout", "stderr"] as const) {
    const lines = new LineSplitter((line) => {
      for (const listener of onLine) listener(line, from);
    });
    child[from]?.on("data", (bytes: Uint8Array) => lines.push(bytes));
    child[from]?.on("end", () => lines.end());
    child[from]?.on("error", () => {});
  }
  return {
    pid: child.pid ?? null,
    pipe: wrapPipe(child.stdio[3] instanceof Socket ? child.stdio[3] : new Socket()),
    onLine: (listener) => onLine.push(listener),
    onExit(listener) {
      if (exit === null) onExit.push(listener);
      else listener(exit);
    },
    kill(signal) {
      child.kill(signal);
    },
  };
}

/** A socket as a BytePipe; the child's end uses it too. */
export function wrapPipe(socket: Socket): BytePipe {
  // What goes wrong with the pipe shows as its close; the exit tells the reason.
  socket.on("error", () => {});
  return {
    write(bytes) {
      if (!socket.destroyed && socket.writable) socket.write(bytes);
    },
    get queuedBytes() {
      return socket.writableLength;
    },
    onData: (listener) => socket.on("data", listener),
    onClose(listener) {
      socket.once("close", () => listener());
      // Without this a half-closed pipe would stay open on our side.
      socket.once("end", () => socket.destroy());
    },
    close: () => socket.destroy(),
  };
}
