import type { Socket } from "node:net";
import {
  AppError,
  type CallOptions,
  dial,
  type MapperConnection,
  type OpenContext,
  type Point,
  type PointResult,
  RunningCalls,
  type Value,
} from "@penstock/mapper-sdk";
import { type Answer, getLine, parseAnswer, readValue, setLine } from "./lines.ts";

interface Address {
  readonly unit: number;
}
interface Visitor {
  readonly register: number;
}
type Settle = (outcome: Answer | AppError) => void;

/** An answer is a short line: what goes on for longer is another protocol. */
const longestLine = 256;

/** One device. Each question has a number, which its answer repeats, so that a late answer is never taken for the next. */
export class DeviceConnection implements MapperConnection<Address, Visitor> {
  readonly #socket: Socket;
  readonly #context: OpenContext;
  readonly #calls = new RunningCalls();
  readonly #waiting = new Map<number, Settle>();
  #lastNumber = 0;
  #held = "";
  #ended: AppError | null = null;
  #isClosing = false;

  constructor(socket: Socket, context: OpenContext) {
    this.#socket = socket;
    this.#context = context;
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => this.#take(String(chunk)));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => this.#end("the device ended it"));
  }

  static async open(settings: { host: string; port: number }, context: OpenContext): Promise<DeviceConnection> {
    const { clock, signal, line } = context;
    const socket = await dial({ ...settings, timeoutMs: line.connectTimeoutMs, clock, signal });
    return new DeviceConnection(socket, context);
  }

  async read(points: readonly Point<Address, Visitor>[], { signal }: CallOptions): Promise<readonly PointResult[]> {
    const results: PointResult[] = points.map(() => ({ value: null, reason: "mapper/timeout" }));
    await this.#calls.run(signal, async (stopped) => {
      for (const [row, { address, visitor, type }] of points.entries()) {
        try {
          results[row] = readValue(await this.#ask(getLine(address.unit, visitor.register), stopped), type);
        } catch (error) {
          // Silent: the others are not asked, since each would cost a time-out too. What was read before stays.
          const isSilent = error instanceof AppError && error.code === "mapper/timeout";
          if (isSilent && row > 0) return;
          throw error;
        }
      }
    });
    return results;
  }

  async write({ address, visitor, type }: Point<Address, Visitor>, value: Value, options: CallOptions): Promise<void> {
    const question = setLine({ unit: address.unit, register: visitor.register, type, value });
    await this.#calls.run(options.signal, async (stopped) => {
      const answer = await this.#ask(question, stopped);
      if (!answer.ok) throw new AppError(answer.code, `Cannot write register ${visitor.register}: ${answer.text}`);
    });
  }

  close(): Promise<void> {
    this.#isClosing = true;
    return this.#calls.close(() => this.#socket.destroy());
  }

  #ask(question: string, stopped: AbortSignal): Promise<Answer> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const number = ++this.#lastNumber;
    const { clock, line } = this.#context;
    return new Promise((resolve, reject) => {
      const settle: Settle = (outcome) => {
        this.#waiting.delete(number);
        stopTimer();
        stopped.removeEventListener("abort", onAbort);
        if (outcome instanceof AppError) reject(outcome);
        else resolve(outcome);
      };
      const onAbort = () => settle(new AppError("aborted", "The question was called off"));
      const stopTimer = clock.after(line.timeoutMs, () => {
        settle(new AppError("mapper/timeout", `No answer to "${question}" within ${line.timeoutMs} ms`));
      });
      stopped.addEventListener("abort", onAbort, { once: true });
      this.#waiting.set(number, settle);
      this.#socket.write(`${number} ${question}\n`);
    });
  }

  #take(chunk: string): void {
    const lines = (this.#held + chunk).split("\n");
    this.#held = lines.pop() ?? "";
    for (const line of lines) {
      const answer = parseAnswer(line);
      if (answer === null) {
        this.#end(`"${line.slice(0, 60)}" is no line of this protocol`);
        return;
      }
      this.#waiting.get(answer.number)?.(answer);
    }
    if (this.#held.length > longestLine) this.#end("the device sends no ends of lines");
  }

  /** Whoever waits is told why; the runner then opens another connection. */
  #end(why: string): void {
    if (this.#ended !== null) return;
    this.#ended = new AppError("mapper/connection-lost", `The connection has ended: ${why}`);
    this.#socket.destroy();
    for (const settle of [...this.#waiting.values()]) settle(this.#ended);
    if (!this.#isClosing) this.#context.lost(this.#ended);
  }
}
