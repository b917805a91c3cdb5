import { effort } from "../run/effort.ts";

/** To make one takes microseconds, for where it came from. */
const errorUnits = 500;

/**
 * Why one row, or one window's result, could not be computed. It ends that row and nothing else: the rule counts it, tells
 * it, and goes on with the next.
 */
export class RowError extends Error {
  constructor(message: string) {
    super(message);
    effort.spend(errorUnits);
    this.name = "RowError";
  }
}
