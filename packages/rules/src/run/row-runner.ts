import type { Plan } from "../plan/plan-query.ts";
import type { ObjectValue } from "../value/value.ts";
import { newFrame, type Row } from "./frame.ts";

/** Runs a query without a window: each row by itself. */
export class RowRunner {
  readonly #plan: Plan;
  readonly #frame = newFrame();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** @returns what the row gives, or null where it is not kept @throws RowError */
  run(row: Row, now: number): ObjectValue | null {
    const frame = this.#frame;
    frame.row = row;
    frame.now = now;
    const { where } = this.#plan;
    return where === null || where(frame) ? this.#plan.project(frame) : null;
  }
}
