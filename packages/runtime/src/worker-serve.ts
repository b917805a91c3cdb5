import { parentPort, type Transferable, workerData } from "node:worker_threads";
import {
  answerTo,
  errorOf,
  type Methods,
  type WorkerMessage,
  type WorkerReply,
  type WorkerRequest,
} from "./worker-host.ts";

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

const asked = new Map<number, { resolve(output: unknown): void; reject(error: Error): void }>();
let nextAsk = 1;

/** Asks whoever started this worker, by the name of one of its `methods`. @throws AppError that the method threw */
export function askHost(method: string, input: unknown): Promise<unknown> {
  const id = nextAsk++;
  const answer = new Promise<unknown>((resolve, reject) => asked.set(id, { resolve, reject }));
  parentPort?.postMessage({ ask: { id, method, input } } satisfies WorkerReply);
  return answer;
}

/**
 * The answering side of `startWorker`, called once at the top of a worker's file. `open` runs first and its failure ends
 * the start; `close` runs last, after which the thread has nothing left to do and ends.
 */
export function serveWorker<Data>(worker: {
  open(data: Data): Methods | Promise<Methods>;
  close(): void | Promise<void>;
}): void {
  const port = parentPort;
  if (port === null) throw new Error("serveWorker belongs into a worker thread");
  let methods: Methods = {
    async open() {
      // The cast: startWorker was given this data for this file.
      methods = { ...(await worker.open(workerData as Data)), close: () => worker.close() };
      return null;
    },
  };

  port.on("message", (message: WorkerMessage) => {
    if ("answer" in message) {
      const { answer } = message;
      const waiting = asked.get(answer.id);
      asked.delete(answer.id);
      if ("error" in answer) waiting?.reject(errorOf(answer.error));
      else waiting?.resolve(answer.output);
      return;
    }
    void serve(message);
  });

  async function serve(request: WorkerRequest): Promise<void> {
    const answer = await answerTo(methods, request);
    const output = "output" in answer ? answer.output : null;
    const transfer = typeof output === "object" && output !== null ? moved.get(output) : undefined;
    port!.postMessage(answer satisfies WorkerReply, transfer ?? []);
    if (request.method === "close") port!.close();
  }
}
