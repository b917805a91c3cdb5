import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program of somebody else's that a test starts as a counterpart, in a folder of its own. */
export interface TestServer {
  readonly folder: string;
  readonly port: number;
  stop(): Promise<void>;
  close(): Promise<void>;
}

export function testFolder(): string {
  return mkdtempSync(join(tmpdir(), "penstock-sinks-"));
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly port: number;
  /** what it says once it can be asked */
  readonly ready: RegExp;
  readonly as?: { readonly uid: number; readonly gid: number };
}

/** Starts it and waits until it is ready. */
export async function startProgram({ command, args, folder, port, ready, as }: Program): Promise<TestServer> {
  const child: ChildProcess = spawn(command, args, { ...as, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const hear = (text: Buffer) => {
      said += String(text);
      if (ready.test(said)) resolve();
    };
    child.stdout!.on("data", hear);
    child.stderr!.on("data", hear);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${command} ended with ${code}: ${said}`)));
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  return {
    ...{ folder, port, stop },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
