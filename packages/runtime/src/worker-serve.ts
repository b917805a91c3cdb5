import { parentPort, type Transferable, workerData } from "node:worker_threads";
import { codeOf } from "@penstock/model";
import type { Methods, WorkerReply, WorkerRequest } from "./worker-host.ts";

const moved = new WeakMap<object, readonly Transferable[]>();

/** Marks an answer whose buffers move to the asker instead of being copied. */
export function transferring<T extends object>(output: T, transfer: readonly Transferable[]): T {
  moved.set(output, transfer);
  return output;
}

/** Sends something nobody asked for. */
export function postEvent(event: unknown): void {
  parentPort?.postMessage({ event } satisfies WorkerReply);
}

/**
 * The answering side of `startWorker`, called once at the top of a worker's file. `open` runs first and its failure ends
 * the start; `close` runs last, after which the thread has nothing left to do and ends.
 */
export function serveWorker<Data>(worker: { open(data: Data): Methods; close(): void | Promise<void> }): void {
  const port = parentPort;
  if (port === null) throw new Error("serveWorker belongs into a worker thread");
  let methods: Methods = {};

  async function answer(request: WorkerRequest): Promise<unknown> {
    switch (request.method) {
      case "open":
        // The cast: startWorker was given this data for this file.
        methods = worker.open(workerData as Data);
        return null;
      case "close":
        return worker.close();
      default: {
        const method = methods[request.method];
        if (method === undefined) throw new Error(`No method "${request.method}"`);
        return method(request.input as never);
      }
    }
  }

  port.on("message", (request: WorkerRequest) => {
    answer(request).then(
      (output) => {
        const transfer = typeof output === "object" && output !== null ? moved.get(output) : undefined;
        port.postMessage({ id: request.id, output } satisfies WorkerReply, transfer ?? []);
        if (request.method === "close") port.close();
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        port.postMessage({ id: request.id, error: { code: codeOf(error), message } } satisfies WorkerReply);
        if (request.method === "close") port.close();
      },
    );
  });
}
