import type { Socket } from "node:net";
import type { DriverClock } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { DBusValue } from "./body-reader.ts";
import { BusError } from "./bus-error.ts";
import { openBusSocket, type SocketOptions } from "./bus-socket.ts";
import { type BusCall, callBytes, type InMessage, messageKinds } from "./message.ts";
import { MessageStream } from "./message-stream.ts";

export const busItself = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
} as const;

export interface BusOptions extends SocketOptions {
  /** every signal that a match rule lets through, in order */
  readonly onSignal: (message: InMessage) => void;
  /** at most once, not after `close` */
  readonly ended: (error: AppError) => void;
}
export interface BusCallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** called with the answer before the message after it is looked at */
  readonly taken?: (body: readonly DBusValue[]) => void;
}
interface Pending {
  settle(answer: InMessage | AppError): void;
}
/** each is a reader or writer that waits: far more than properties of all devices of an adapter */
const mostPending = 4096;

/** One connection to a message bus. An answer goes to the question whose number it bears, or to nobody. */
export class Bus {
  readonly #socket: Socket;
  readonly #clock: DriverClock;
  readonly #options: BusOptions;
  readonly #stream = new MessageStream();
  readonly #pending = new Map<number, Pending>();
  #serial = 0;
  #over: AppError | null = null;

  private constructor(socket: Socket, options: BusOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#clock = options.clock;
    socket.on("error", (error) => this.#end(error.message, error));
    socket.on("close", () => this.#end("it has closed the connection"));
    socket.on("data", (bytes) => this.#take(bytes));
    socket.resume();
  }

  /** @throws AppError mapper/connect-failed, or aborted */
  static async connect(options: BusOptions): Promise<Bus> {
    const bus = new Bus(await openBusSocket(options), options);
    try {
      await bus.call({ ...busItself, member: "Hello" }, options);
      return bus;
    } catch (cause) {
      await bus.close();
      if (options.signal.aborted) throw cause;
      throw new AppError("mapper/connect-failed", "Cannot join the bus: it does not greet", { cause });
    }
  }

  /**
   * Asks and waits for the answer.
   *
   * @throws AppError mapper/timeout, mapper/connection-lost, mapper/device-busy when too many wait, aborted; BusError
   */
  call(call: BusCall, options: BusCallOptions): Promise<readonly DBusValue[]> {
    const { timeoutMs, signal, taken } = options;
    const what = `${call.member} of "${call.path}"`;
    return new Promise((resolve, reject) => {
      if (this.#over !== null) return reject(this.#over);
      if (signal?.aborted === true) return reject(new AppError("aborted", `Nobody waits for ${what}`));
      if (this.#pending.size >= mostPending)
        return reject(new AppError("mapper/device-busy", `Cannot ask for ${what}: ${mostPending} questions wait`));
      const serial = this.#nextSerial();
      const settle = (answer: InMessage | AppError) => {
        this.#pending.delete(serial);
        cancel();
        signal?.removeEventListener("abort", onAbort);
        if (answer instanceof AppError) return reject(answer);
        if (answer.kind === messageKinds.error) {
          const text = answer.body[0];
          return reject(new BusError(answer.errorName ?? "", typeof text === "string" ? text.slice(0, 300) : ""));
        }
        try {
          taken?.(answer.body);
          resolve(answer.body);
        } catch (error) {
          reject(error);
        }
      };
      const onAbort = () => settle(new AppError("aborted", `Nobody waits for ${what}`, { cause: signal?.reason }));
      const cancel = this.#clock.after(timeoutMs, () =>
        settle(new AppError("mapper/timeout", `Cannot get ${what}: no answer within ${timeoutMs} ms`)),
      );
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#pending.set(serial, { settle });
      this.#socket.write(callBytes(call, serial));
    });
  }

  async close(): Promise<void> {
    if (this.#over === null) this.#settleAll(new AppError("aborted", "The bus was closed"));
    this.#socket.destroy();
  }

  #nextSerial(): number {
    do this.#serial = this.#serial >= 0xffff_ffff ? 1 : this.#serial + 1;
    while (this.#pending.has(this.#serial));
    return this.#serial;
  }

  #take(bytes: Buffer): void {
    if (this.#over !== null) return;
    try {
      for (const message of this.#stream.push(bytes)) this.#dispatch(message);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error), error);
    }
  }

  #dispatch(message: InMessage): void {
    if (message.kind === messageKinds.signal) this.#options.onSignal(message);
    else if (message.replySerial !== undefined) this.#pending.get(message.replySerial)?.settle(message);
  }

  #end(why: string, cause?: unknown): void {
    if (this.#over !== null) return;
    const error = new AppError("mapper/connection-lost", `Lost the bus: ${why}`, { cause });
    this.#settleAll(error);
    this.#socket.destroy();
    this.#options.ended(error);
  }

  #settleAll(error: AppError): void {
    this.#over = error;
    for (const { settle } of [...this.#pending.values()]) settle(error);
  }
}
