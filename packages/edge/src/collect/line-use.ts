import { BusyMinute } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import { longestDeadlineMs } from "./budget.ts";

/** What is in flight on one line as collect sees it: its load, and how long the next request may have to wait. */
export class LineUse {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #minute: BusyMinute;
  #budgetsMs = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#minute = new BusyMinute(clock.monotonic());
  }

  /**
   * A request begins. The mapper may have to end first what it was given before, so the deadline is the request's own
   * budget and those in flight, at most 2 minutes unless its own is longer.
   *
   * @returns the deadline, and what to call once when the request has ended
   */
  begin(budgetMs: number): { readonly deadlineMs: number; readonly end: () => void } {
    const deadlineMs = Math.max(budgetMs, Math.min(budgetMs + this.#budgetsMs, longestDeadlineMs));
    this.#budgetsMs += budgetMs;
    this.#minute.begin(this.#clock.monotonic());
    return {
      deadlineMs,
      end: () => {
        this.#budgetsMs -= budgetMs;
        this.#minute.end(this.#clock.monotonic());
      },
    };
  }

  summary(): { readonly percent: number; readonly perSecond: number } {
    return this.#minute.summary(this.#clock.monotonic());
  }
}
