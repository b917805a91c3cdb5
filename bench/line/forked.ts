import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** A process of a bench: it is asked one thing at a time and answers each with one message. */
export interface Forked<Ask, Answer> {
  readonly pid: number;
  ask(question: Ask): Promise<Answer>;
  /** seconds of processor time so far, user and system, all threads */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export function forkBench<Ask, Answer>(script: string, nodeArgs: readonly string[] = []): Forked<Ask, Answer> {
  const child = fork(resolve(import.meta.dirname, script), [], {
    serialization: "advanced",
    execArgv: [...nodeArgs],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    pid: child.pid!,
    ask: (question) => askOnce(child, script, question),
    cpuSeconds: () => cpuSecondsOf(child.pid!),
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}

function askOnce<Answer>(child: ChildProcess, script: string, question: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`${script} ended with code ${code}`));
    child.once("exit", onExit);
    child.once("message", (answer: { ok: Answer } | { failed: string }) => {
      child.off("exit", onExit);
      if ("failed" in answer) reject(new Error(`${script}: ${answer.failed}`));
      else resolve(answer.ok);
    });
    child.send(question as object);
  });
}

/** The other end: answers each question, closes when the asker is gone. */
export function serveBench<Ask, Answer>(answer: (question: Ask) => Promise<Answer>, close: () => Promise<void>): void {
  process.on("message", (question: Ask) => {
    answer(question).then(
      (ok) => process.send!({ ok }),
      (error: unknown) => process.send!({ failed: error instanceof Error ? error.stack : String(error) }),
    );
  });
  process.on("disconnect", () => {
    void close().finally(() => process.exit(0));
  });
}

/** proc(5): utime and stime are fields 14 and 15, in ticks of 1/100 s on Linux; the name before may hold spaces. */
export function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
