import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { type Transferable, Worker } from "node:worker_threads";
import { AppError, type ErrorCode, isErrorCode } from "@penstock/model";

/** What a worker answers to: one input, one output, by name. */
export type Methods = { readonly [name: string]: (input: never) => unknown };
type InputOf<F> = F extends (input: infer I) => unknown ? I : never;
type OutputOf<F> = F extends (input: never) => infer O ? Awaited<O> : never;

export interface WorkerRequest {
  readonly id: number;
  readonly method: string;
  readonly input: unknown;
}
export type WorkerReply =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } }
  | { readonly event: unknown };

/** The asking side of a worker thread: every call is answered once, in any order. */
export interface WorkerClient<M extends Methods> {
  call<K extends keyof M & string>(
    method: K,
    input: InputOf<M[K]>,
    transfer?: readonly Transferable[],
  ): Promise<OutputOf<M[K]>>;
  /** waits for the calls in flight, lets the worker close what it opened, and ends it */
  close(): Promise<void>;
  /** ends it at once, in the middle of whatever it does; calls in flight reject */
  kill(): Promise<void>;
}

export interface WorkerOptions {
  /** handed to the worker's `open` */
  readonly data: unknown;
  /** heap that it may use; beyond it the worker ends, and nothing else does */
  readonly heapMb?: number;
  readonly onEvent?: (event: unknown) => void;
  /** the worker ended though nobody asked it to; every call after it rejects */
  readonly onLost?: (error: Error) => void;
}

/** The file of a worker that stands beside the module: TypeScript from source, JavaScript in a bundle. */
export function workerFile(moduleUrl: string, name: string): URL {
  const extension = new URL(moduleUrl).pathname.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.${extension}`, moduleUrl);
}

/** @throws AppError of the worker's `open`, or internal when the file cannot be run */
export async function startWorker<M extends Methods>(file: URL, options: WorkerOptions): Promise<WorkerClient<M>> {
  const path = fileURLToPath(file);
  if (!isAbsolute(path)) throw new AppError("internal", `Cannot start worker "${path}": not a file`);
  const worker = new Worker(path, {
    workerData: options.data,
    ...(options.heapMb !== undefined && { resourceLimits: { maxOldGenerationSizeMb: options.heapMb } }),
  });
  const waiting = new Map<number, { resolve(output: unknown): void; reject(error: Error): void }>();
  let lost: Error | null = null;
  let closing = false;
  let nextId = 1;

  const exited = new Promise<void>((resolve) => {
    worker.once("exit", (code) => {
      lose(new AppError("internal", `Worker "${path}" ended with code ${code}`));
      resolve();
    });
  });
  worker.on("error", (cause) => lose(new AppError("internal", `Worker "${path}" failed: ${String(cause)}`, { cause })));
  worker.on("message", (reply: WorkerReply) => {
    if ("event" in reply) {
      options.onEvent?.(reply.event);
      return;
    }
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("error" in reply) {
      call?.reject(new AppError(isErrorCode(reply.error.code) ? reply.error.code : "internal", reply.error.message));
    } else call?.resolve(reply.output);
  });

  function lose(error: Error): void {
    if (lost !== null) return;
    lost = error;
    for (const call of waiting.values()) call.reject(error);
    waiting.clear();
    if (!closing) options.onLost?.(error);
  }
  function send(method: string, input: unknown, transfer: readonly Transferable[]): Promise<unknown> {
    if (lost !== null) return Promise.reject(lost);
    const id = nextId++;
    const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
    worker.postMessage({ id, method, input } satisfies WorkerRequest, transfer);
    return answer;
  }

  try {
    await send("open", options.data, []);
  } catch (error) {
    closing = true;
    await worker.terminate();
    throw error;
  }
  return {
    // The cast: what a method answers is stated by M, which both ends share.
    call: (method, input, transfer = []) => send(method, input, transfer) as Promise<never>,
    async close() {
      if (closing) return exited;
      closing = true;
      if (lost === null) await send("close", null, []);
      await exited;
    },
    async kill() {
      closing = true;
      await worker.terminate();
    },
  };
}
