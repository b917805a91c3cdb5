import { AppError } from "@penstock/model";
import { calledOff } from "./called-off.ts";

/**
 * Whether collect has been told what there is. The twin takes up at its start what had not ended, and that may be before:
 * a device that nobody has named yet is not one that is missing.
 */
export class Begun {
  readonly #told = Promise.withResolvers<void>();
  #is = false;

  constructor() {
    // Whoever waits hears of the end; mostly nobody does.
    this.#told.promise.catch(() => {});
  }

  begin(): void {
    this.#is = true;
    this.#told.resolve();
  }

  /** nothing will be told any more */
  end(): void {
    this.#told.reject(new AppError("mapper/stopped", "The gateway ends"));
  }

  /** null when there is nothing to wait for. Rejects with aborted, or mapper/stopped when the gateway ends first */
  wait(signal: AbortSignal): Promise<void> | null {
    if (this.#is) return null;
    if (signal.aborted) return Promise.reject(calledOff(signal));
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(calledOff(signal));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#told.promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }
}
