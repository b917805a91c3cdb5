import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { type Transferable, Worker } from "node:worker_threads";
import { AppError, codeOf, type ErrorCode, isErrorCode } from "@penstock/model";

/** What a worker answers to: one input, one output, by name. */
export type Methods = { readonly [name: string]: (input: never) => unknown };
type InputOf<F> = F extends (input: infer I) => unknown ? I : never;
type OutputOf<F> = F extends (input: never) => infer O ? Awaited<O> : never;

export interface WorkerRequest {
  readonly id: number;
  readonly method: string;
  readonly input: unknown;
}
type Answer =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } };
export type WorkerReply = Answer | { readonly event: unknown } | { readonly ask: WorkerRequest };
/** What goes to a worker: a question, or the answer to one of its own. */
export type WorkerMessage = WorkerRequest | { readonly answer: Answer };

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
  /** of it, for what was made last; default 48 */
  readonly youngMb?: number;
  readonly onEvent?: (event: unknown) => void;
  /** what the worker may ask for with `askHost` */
  readonly methods?: Methods;
  /** the worker ended though nobody asked it to; every call after it rejects */
  readonly onLost?: (error: Error) => void;
}

/** The file of a worker that stands beside the module: TypeScript from source, JavaScript in a bundle. */
export function workerFile(moduleUrl: string, name: string): URL {
  const extension = new URL(moduleUrl).pathname.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.${extension}`, moduleUrl);
}

/** What a method answers, or why it cannot. */
export async function answerTo(methods: Methods, { id, method, input }: WorkerRequest): Promise<Answer> {
  try {
    if (!Object.hasOwn(methods, method)) throw new Error(`No method "${method}"`);
    return { id, output: await methods[method]!(input as never) };
  } catch (error) {
    return { id, error: { code: codeOf(error), message: error instanceof Error ? error.message : String(error) } };
  }
}

export function errorOf({ code, message }: { readonly code: ErrorCode; readonly message: string }): AppError {
  return new AppError(isErrorCode(code) ? code : "internal", message);
}

/** @throws AppError of the worker's `open`, or internal when the file cannot be run */
export async function startWorker<M extends Methods>(file: URL, options: WorkerOptions): Promise<WorkerClient<M>> {
  const path = fileURLToPath(file);
  if (!isAbsolute(path)) throw new AppError("internal", `Cannot start worker "${path}": not a file`);
  const worker = new Worker(path, {
    workerData: options.data,
    resourceLimits: {
      ...(options.heapMb !== undefined && { maxOldGenerationSizeMb: options.heapMb }),
      ...(options.youngMb !== undefined && { maxYoungGenerationSizeMb: options.youngMb }),
    },
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
    if ("ask" in reply) {
      void answerTo(options.methods ?? {}, reply.ask).then((answer) => {
        if (lost === null) worker.postMessage({ answer } satisfies WorkerMessage);
      });
      return;
    }
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("error" in reply) call?.reject(errorOf(reply.error));
    else call?.resolve(reply.output);
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
