import { AppError, type ErrorCode, isErrorCode } from "@penstock/model";
import type { Cancel, Child, Clock } from "@penstock/runtime";
import { type AgentToMapper, encodeMapperFrame, MapperFrameReader, type MapperToAgent } from "@penstock/wire";
import { calledOff } from "./called-off.ts";
import { sayable } from "./sayable.ts";

/** Answers carry the id of their request. */
export type MapperAnswer = Extract<MapperToAgent, { readonly id: number }>;
export type MapperNews = Exclude<MapperToAgent, MapperAnswer>;
type Answered = Exclude<MapperAnswer, { readonly t: "failed" }>;

export interface MapperProcessEvents {
  news(message: MapperNews): void;
  broken(message: string): void;
  exited(message: string): void;
  line(line: string, from: "stdout" | "stderr"): void;
}

/** Requests in flight; more are refused. Reads are few, since the schedule bounds them by connection. */
const mostPending = 4096;
/** A mapper that leaves so many bytes in its pipe does not read it. */
const mostQueuedBytes = 32 * 1024 * 1024;
/** The mapper keeps the deadline; the agent gives up this much later, when the mapper does not even say so. */
const graceMs = 1000;

interface Pending {
  settle(answer: MapperAnswer | AppError): void;
}

/** One life of a mapper: frames over its pipe, and the requests that wait for their answers. */
export class MapperProcess {
  readonly pid: number | null;
  readonly #child: Child;
  readonly #clock: Clock;
  readonly #events: MapperProcessEvents;
  readonly #reader = new MapperFrameReader<MapperToAgent>();
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #end: AppError | null = null;

  constructor(options: { readonly child: Child; readonly clock: Clock; readonly events: MapperProcessEvents }) {
    const { child, clock, events } = options;
    this.pid = child.pid;
    this.#child = child;
    this.#clock = clock;
    this.#events = events;
    child.pipe.onData((bytes) => this.#take(bytes));
    child.pipe.onClose(() => this.breakOff("It closed its pipe"));
    child.onLine((line, from) => events.line(line, from));
    child.onExit(({ code, signal, error }) => {
      const how = error !== null ? error.message : signal !== null ? `Signal ${signal}` : `Exit code ${code}`;
      this.fail("mapper/stopped", how);
      child.pipe.close();
      events.exited(how);
    });
  }

  send(message: AgentToMapper): void {
    if (this.#end !== null) return;
    this.#child.pipe.write(encodeMapperFrame(message));
    if (this.#child.pipe.queuedBytes > mostQueuedBytes) this.breakOff("It does not read its pipe");
  }

  /**
   * @param make the message with the id it gets
   * @throws AppError the code that the mapper names; mapper/timeout, mapper/stopped, mapper/device-busy, aborted
   */
  request(
    make: (id: number) => AgentToMapper,
    { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      if (this.#end !== null) return reject(this.#end);
      if (signal?.aborted === true) return reject(calledOff(signal));
      if (this.#pending.size >= mostPending) {
        return reject(
          new AppError("mapper/device-busy", `Cannot ask the mapper: ${mostPending} requests wait already`),
        );
      }
      const id = ++this.#lastId;
      let cancel: Cancel = () => {};
      const onAbort = () => this.#settle(id, calledOff(signal!));
      this.#pending.set(id, {
        settle(answer) {
          cancel();
          signal?.removeEventListener("abort", onAbort);
          if (answer instanceof AppError) reject(answer);
          else if (answer.t === "failed") reject(failure(answer));
          else resolve(answer);
        },
      });
      signal?.addEventListener("abort", onAbort, { once: true });
      cancel = this.#clock.after(deadlineMs + graceMs, () => {
        this.#settle(id, new AppError("mapper/timeout", `The mapper did not answer within ${deadlineMs + graceMs} ms`));
      });
      this.send(make(id));
    });
  }

  /** Every request fails; whatever it still says is not heard. */
  fail(code: ErrorCode, message: string): void {
    this.#end ??= new AppError(code, `The mapper's process ended: ${message}`);
    for (const id of [...this.#pending.keys()]) this.#settle(id, this.#end);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #take(bytes: Uint8Array): void {
    if (this.#end !== null) return;
    let messages: MapperToAgent[];
    try {
      messages = this.#reader.push(bytes);
    } catch (error) {
      this.breakOff(error instanceof Error ? error.message : String(error));
      return;
    }
    for (const message of messages) {
      // An answer that nobody waits for came after its deadline.
      if ("id" in message) this.#settle(message.id, message);
      else this.#events.news(message);
    }
  }

  /** What came through the pipe is of no use: the supervisor ends the process. */
  breakOff(message: string): void {
    if (this.#end !== null) return;
    this.fail("mapper/stopped", message);
    this.#events.broken(message);
  }

  #settle(id: number, answer: MapperAnswer | AppError): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.settle(answer);
  }
}

function failure({ code, message }: { readonly code: unknown; readonly message: unknown }): AppError {
  return new AppError(isErrorCode(code) ? code : "mapper/bad-answer", sayable(message));
}
