import { AppError, type ConnectionUid, type DeviceUid, type ErrorCode } from "@penstock/model";
import { calledOff } from "./called-off.ts";
import type { LineUse } from "./line-use.ts";
import type { ScheduleInput } from "./schedule-types.ts";

/** Acts that wait for their lines; more are refused. */
const mostWaiting = 4096;

/** A turn on a line: how long the act may take, and what must be called once when it has ended. */
export interface LineTurn {
  readonly deadlineMs: number;
  end(code: ErrorCode | null): void;
}

/** Whoever wants to write, read back or call waits here until the schedule says that it is his turn on the line. */
export class LineTurns {
  readonly #run: (input: ScheduleInput) => void;
  readonly #use: (connection: ConnectionUid) => LineUse;
  readonly #waiting = new Map<number, { readonly start: () => void; readonly fail: (error: AppError) => void }>();
  #lastAct = 0;
  #isClosed = false;

  constructor(options: {
    readonly run: (input: ScheduleInput) => void;
    readonly use: (connection: ConnectionUid) => LineUse;
  }) {
    this.#run = options.run;
    this.#use = options.use;
  }

  /**
   * @param options.budgetMs what the act may take once it has begun, what else is in flight on the line not counted
   * @throws AppError aborted, mapper/device-busy, mapper/stopped once collect is closed
   */
  take(options: {
    readonly device: DeviceUid;
    readonly connection: ConnectionUid;
    readonly budgetMs: number;
    readonly signal: AbortSignal;
  }): Promise<LineTurn> {
    const { device, connection, budgetMs, signal } = options;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(calledOff(signal));
      if (this.#isClosed) return reject(new AppError("mapper/stopped", "The gateway ends"));
      if (this.#waiting.size >= mostWaiting) {
        return reject(
          new AppError("mapper/device-busy", `Cannot ask the device: ${mostWaiting} requests wait already`),
        );
      }
      const act = ++this.#lastAct;
      const leave = () => {
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(act);
      };
      const fail = (error: AppError) => {
        leave();
        this.#run({ t: "acted", act, code: error.code });
        reject(error);
      };
      const onAbort = () => fail(calledOff(signal));
      signal.addEventListener("abort", onAbort, { once: true });
      const start = () => {
        leave();
        const use = this.#use(connection).begin(budgetMs);
        const end = (code: ErrorCode | null) => {
          use.end();
          this.#run({ t: "acted", act, code });
        };
        resolve({ deadlineMs: use.deadlineMs, end });
      };
      this.#waiting.set(act, { start, fail });
      this.#run({ t: "act", act, device });
    });
  }

  grant(act: number): void {
    this.#waiting.get(act)?.start();
  }

  close(): void {
    this.#isClosed = true;
    for (const { fail } of [...this.#waiting.values()]) fail(new AppError("mapper/stopped", "The gateway ends"));
  }
}
